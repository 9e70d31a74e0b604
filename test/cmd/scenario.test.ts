import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertSameTrees } from '../kit/compare-trees.ts';
import { restic } from '../kit/restic.ts';
import { home, password } from './kit.ts';

test('from a configuration to a restored folder, also after the loss of the catalog', async (t) => {
  const { folder, data, repository, tidemark, inside } = await home(t);
  const ok = async (...args: string[]) => {
    const ran = await inside(...args);
    assert.equal(ran.code, 0, `tidemark ${args.join(' ')}\n${ran.stdout}${ran.stderr}`);
    return ran;
  };

  assert.match((await ok('validate')).stdout, /^valid: 3 resources in 1 file\n$/);
  const planned = await tidemark('plan', '--detailed-exitcode', '--out', 'saved.json');
  assert.equal(planned.code, 2);
  assert.match(planned.stdout, /\+ add sources\.docs/);
  const unasked = await tidemark('apply');
  assert.equal(unasked.code, 3);
  assert.match(unasked.stderr, /hint: Give `--auto-approve`/);
  await ok('apply', 'saved.json');
  assert.equal((await inside('plan', '--detailed-exitcode')).code, 0);
  const again = await inside('apply', 'saved.json');
  assert.deepEqual([again.code, /error CHANGE_STALE/.test(again.stderr)], [6, true]);

  const { backup } = JSON.parse((await tidemark('backup', 'docs-daily', '--json')).stdout);
  const { backups } = JSON.parse((await ok('backups', '--json')).stdout);
  assert.deepEqual(
    backups.map((one: { id: string }) => one.id),
    [backup],
  );
  assert.match((await ok('show', backup)).stdout, new RegExp(`^backup +${backup}\n`));
  assert.match((await ok('show', backup, '--tree', data)).stdout, /one\.txt\n/);
  const listed = JSON.parse((await (await restic(t, repository, password))(['snapshots', '--json'])).stdout);
  assert.ok(listed[0].tags.includes(`id:${backup}`));

  await ok('restore', 'docs', '--into', './out', '--verify');
  assertSameTrees(join(folder, 'out', data), data);
  const occupied = await inside('restore', 'docs', '--into', './out');
  assert.deepEqual([occupied.code, /error TARGET_NOT_EMPTY/.test(occupied.stderr)], [6, true]);
  await ok('download', backup, '-o', 'files', '--only', join(data, 'one.txt'));

  for (const file of ['catalog.db', 'catalog.db-wal', 'catalog.db-shm']) await rm(join(folder, file), { force: true });
  assert.equal((await ok('backups')).stdout, 'no backups\n');
  assert.match((await ok('catalog', 'import', 'disk')).stdout, /^1 backup found: 1 added/);
  await ok('restore', 'docs', '--backup', backup.slice(-8), '--into', './again');
  assertSameTrees(join(folder, 'again', data), data);
  assert.match((await ok('apply', '--auto-approve')).stdout, /2 added, 0 changed, 0 removed/);

  await writeFile(join(data, 'one.txt'), 'changed\n');
  const denied = await inside('restore', 'docs', '--into', 'docs', '--overwrite');
  assert.deepEqual([denied.code, /--auto-approve/.test(denied.stderr)], [3, true]);
  await ok('restore', 'docs', '--into', 'docs', '--overwrite', '--auto-approve');
  assertSameTrees(data, join(folder, 'again', data));
  assert.equal(JSON.parse((await ok('restores', '--json')).stdout).restores.length, 2);
});
