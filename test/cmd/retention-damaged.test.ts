import assert from 'node:assert/strict';
import { copyFile, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { flip } from '../core/repository/check/check-kit.ts';
import { type PruneHome, pruneHome } from './prune-kit.ts';

test('a backup that a check found hurt is nobody’s last good one, until a check that looked there finds it mended', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [whole] = await at.backUp(1);
  const before = new Set(await packs(at));
  const [hurt] = await at.backUp(1);
  const pack = await largest((await packs(at)).filter((path) => !before.has(path)));
  await copyFile(pack, `${at.folder}/kept`);
  await flip(pack);
  const isPartial = async () => (await at.catalog.backups.get(hurt!)).partial;

  assert.equal((await at.inside('repository', 'check', 'disk')).code, 0);
  assert.equal(await isPartial(), false, 'nobody has read it');
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 10);
  const { warnings } = await at.catalog.backups.get(hurt!);
  assert.match(
    warnings.join(),
    /damaged in the repository: a check of .* found data\/.*blobs in it cannot be read \(lost: .*own\.bin/,
  );
  assert.match((await at.inside('status')).stdout, /the newest backup of docs-daily is partial/);
  await at.inside('catalog', 'import', 'disk');
  assert.equal((await at.inside('repository', 'check', 'disk', '--read', '1B')).code, 10, 'what was bad is read again');
  assert.equal(await isPartial(), true);

  assert.match((await at.inside('delete', whole!, '--auto-approve')).stderr, /newest good backup of plan/);
  const pruned = await at.inside('prune', '--auto-approve');
  assert((await at.ids()).includes(whole!), pruned.stdout + pruned.stderr);

  await rename(`${at.folder}/kept`, pack);
  assert.equal((await at.inside('repository', 'check', 'disk')).code, 0);
  assert.deepEqual([await isPartial(), (await at.catalog.backups.get(hurt!)).warnings.length], [false, 0]);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual(await at.ids(), [hurt]);
});

test('a backup that lacks a folder is hurt for any check, until it is repaired', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [whole] = await at.backUp(1);
  const before = new Set(await packs(at));
  const [hurt] = await at.backUp(1);
  const [trees] = await smallestFirst((await packs(at)).filter((path) => !before.has(path)));
  await flip(trees!);
  assert.equal((await at.inside('repository', 'check', 'disk')).code, 10);
  assert.equal((await at.catalog.backups.get(hurt!)).partial, true);
  await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.equal((await at.inside('repository', 'check', 'disk')).code, 0);
  const left = await at.catalog.backups.list();
  assert(left.some(({ id, partial }) => id === whole && !partial));
  assert(left.every(({ damage }) => damage === undefined));
});

async function packs(at: PruneHome): Promise<string[]> {
  const folder = join(at.repository, 'data');
  return (await readdir(folder, { recursive: true }))
    .filter((name) => name.length > 40)
    .map((name) => join(folder, name));
}

async function smallestFirst(paths: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  return sizes.sort((a, b) => a.size - b.size).map(({ path }) => path);
}

async function largest(paths: readonly string[]): Promise<string> {
  return (await smallestFirst(paths)).at(-1)!;
}
