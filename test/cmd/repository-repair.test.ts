import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { randomBytes } from '../core/repository/repository-kit.ts';
import { restic } from '../kit/restic.ts';
import { home, password } from './kit.ts';

test('a backup that lost a file is rewritten without it and says so everywhere; snapshots of restic too', async (t) => {
  const at = await home(t);
  await writeFile(join(at.data, 'large.bin'), randomBytes('large', 1_500_000));
  await at.inside('apply', '--auto-approve');
  const { backup } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  const stock = await restic(t, at.repository, password);
  await stock(['backup', '--ignore-inode', at.data]);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const nothing = await at.inside('repository', 'repair', 'disk');
  assert.deepEqual([nothing.code, nothing.stdout], [0, 'nothing needs to be repaired\n']);
  for (const pack of await filesIn(at.repository, 'data')) if ((await stat(pack)).size > 1_000_000) await flip(pack);

  const shape = outputs['repository repair'] as Shape;
  const dry = JSON.parse((await at.inside('repository', 'repair', 'disk', '--dry-run', '--json')).stdout);
  assert.deepEqual(mismatches(dry, shape), []);
  const rewrites = dry.plan.snapshots.map((one: { action: string; paths: string[] }) => [
    one.action,
    one.paths[0]!.split('/').at(-1),
  ]);
  assert.deepEqual(rewrites, [
    ['rewrite', 'large.bin'],
    ['rewrite', 'large.bin'],
  ]);
  assert.equal(existsSync(join(at.repository, 'damaged')), false, 'a dry run changes nothing');
  assert.equal((await at.inside('repository', 'repair', 'disk')).code, 3, 'nobody could be asked');
  const repaired = await at.inside('repository', 'repair', 'disk', '--auto-approve', '--json');
  assert.equal(repaired.code, 4, 'backups lost something');
  const events = (await at.inside('events', '--json')).stdout;
  assert.match(
    events,
    new RegExp(`backup\\.repaired[\\s\\S]*backup ${backup} of docs-daily, snapshot .* lost 1 files .*large\\.bin`),
  );
  assert.deepEqual(mismatches(JSON.parse(repaired.stdout), shape), []);

  await stock(['check', '--read-data']);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
  assert.match((await at.inside('repository', 'repair', 'disk')).stdout, /^nothing needs/);
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  assert.deepEqual(
    backups.map((one: { partial: boolean }) => one.partial),
    [true, true],
  );
  const own = backups.find((one: { id: string }) => one.id === backup);
  assert.match(own.warnings.join(), /repaired: lost for damage of the repository \(1\): .*large\.bin/);
  const into = join(at.folder, 'back');
  const restored = await at.inside('restore', 'docs', '--backup', backup, '--into', into);
  assert.equal(restored.code, 4, 'the restore of a partial backup is partial');
  assert.match(restored.stderr, /repaired: lost for damage of the repository \(1\): .*large\.bin/);
  assert.equal(
    await readFile(join(into, at.data, 'one.txt'), 'utf8').catch(() => readFile(join(into, 'one.txt'), 'utf8')),
    'one\n',
  );
  const snapshots = JSON.parse((await stock(['snapshots', '--json'])).stdout);
  assert.deepEqual(
    snapshots.map((one: { tags: string[] }) => one.tags.includes('repaired')),
    [true, true],
  );
  assert.equal((await filesIn(at.repository, 'damaged/snapshots')).length, 2);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  await stock(['check', '--read-data']);
});
