import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { flip } from '../core/repository/check/check-kit.ts';
import { type PruneHome, pruneHome } from './prune-kit.ts';

test('a new backup relies on nothing of a pack that is cut short, not by what its parent names either', async (t) => {
  const at = await pruneHome(t);
  await at.backUp(1);
  const [, trees] = await packs(at);
  const bytes = await readFile(trees!);
  const headerBytes = bytes.readUInt32LE(bytes.length - 4);
  await truncate(trees!, bytes.length - 4 - headerBytes); // what is in it can be read still
  await restoresWithout(at, trees!);
});

test('a new backup relies on nothing of a pack in which a check found something bad', async (t) => {
  const at = await pruneHome(t);
  await at.backUp(1);
  const data = (await packs(at)).at(-1)!;
  await flip(data);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 10);
  await restoresWithout(at, data);
});

test('a new backup relies on no folder that was stored when nothing is known of its parent: that is damaged, and what else', async (t) => {
  const at = await pruneHome(t);
  await at.backUp(1);
  const [, trees] = await packs(at);
  const bytes = await readFile(trees!);
  for (let byte = 40; byte < bytes.length; byte += 50) bytes[byte]! ^= 1;
  await chmod(trees!, 0o600);
  await writeFile(trees!, bytes);
  const said = await restoresWithout(at, trees!);
  assert.match(said, /the backup before this one cannot be read, so all was read/);
});

/** A backup of what has not changed comes back whole when the pack is gone altogether. Gives what it said. */
async function restoresWithout(at: PruneHome, pack: string): Promise<string> {
  const made = await at.inside('backup', 'docs-daily', '--json');
  await rm(pack);
  const into = join(at.folder, 'out');
  const got = await at.inside('download', JSON.parse(made.stdout).backup, '-o', into);
  assert.equal(got.code, 0, got.stdout + got.stderr);
  const [back] = (await readdir(into, { recursive: true })).filter((name) => name.endsWith('own.bin'));
  assert.deepEqual(await readFile(join(into, back!)), await readFile(join(at.data, 'own.bin')));
  return made.stdout + made.stderr;
}

/** The smallest first: that of the manifest, that of the trees, that of the files. */
async function packs(at: PruneHome): Promise<string[]> {
  const folder = join(at.repository, 'data');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.length > 40);
  const paths = names.map((name) => join(folder, name));
  const sizes = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  return sizes.sort((a, b) => a.size - b.size).map(({ path }) => path);
}
