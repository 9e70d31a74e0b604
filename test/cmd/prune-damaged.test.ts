import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pruneHome } from './prune-kit.ts';

test('what the catalog knows and the repository lacks lets nothing go in its place', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [oldest, older, newest] = await at.backUp(3);
  const { snapshot } = await at.catalog.backups.get(newest!);
  await rm(join(at.repository, 'snapshots', snapshot));

  const deleted = await at.inside('delete', oldest!, older!, '--auto-approve');
  assert.equal(deleted.code, 4, deleted.stderr);
  assert.match(deleted.stdout + deleted.stderr, /newest good backup of plan docs-daily/);
  assert.deepEqual(await at.ids(), [newest, older]);

  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 10, 'what is lost stops it');
  assert.match(
    pruned.stderr,
    /its snapshot is not in the repository, so it counts for nothing/,
    'the table says so, too',
  );
  assert.match(pruned.stderr, new RegExp(`not in the repository: ${newest}.*catalog import`, 's'));
  assert.equal((await at.snapshots()).length, 1, 'what is there stays');
  await at.judge(['check', '--read-data']);
});

test('a repository that is not whole loses no backup: the one that stays may be the one that is hurt', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const packs = async () => (await readdir(join(at.repository, 'data'), { recursive: true })).filter(isPack);
  await at.backUp(1);
  const before = new Set(await packs());
  await at.backUp(1);
  for (const name of await packs()) if (!before.has(name)) await rm(join(at.repository, 'data', name));

  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 10, pruned.stderr);
  assert.match(pruned.stdout + pruned.stderr, /nothing was removed, because/);
  assert.deepEqual([(await at.snapshots()).length, (await at.ids()).length], [2, 2]);
});

function isPack(name: string): boolean {
  return name.length > 40;
}
