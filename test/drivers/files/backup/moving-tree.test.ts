import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import koffi from 'koffi';
import type { TreeReader } from '../../../../core/driver/index.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { filesFixture } from '../fixture.ts';
import { knownFolders } from './known-folders.ts';

test('a path of the source that goes away after it was found makes the backup partial', async (t) => {
  const fixture = await filesFixture(t);
  const paths = ['folder', 'file', 'stays'].map((name) => join(fixture.tree, name));
  fs.mkdirSync(paths[0]!);
  for (const path of [join(paths[0]!, 'x'), paths[1]!, paths[2]!]) fs.writeFileSync(path, 'x');
  const parent = justBefore('/', () => {
    for (const path of paths.slice(0, 2)) fs.renameSync(path, `${path}-moved`);
  });
  const { partial, warnings, totals } = await fixture.backUp({ paths }, { parent });
  assert.deepEqual([partial, totals.items], [true, 1]);
  for (const path of paths.slice(0, 2))
    assert.match(warnings.join('\n'), new RegExp(`^${path} cannot be read: ENOENT`, 'm'));
});

test('a folder that is replaced before it is read makes the backup partial; one that is deleted does not', async (t) => {
  const fixture = await filesFixture(t);
  const [release, other] = [join(fixture.tree, 'current'), join(fixture.tree, 'other')];
  for (const folder of [release, other]) {
    fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, 'file'), 'x');
  }
  const replaced = await fixture.backUp(
    {},
    {
      parent: justBefore(release, () => {
        fs.renameSync(release, join(fixture.folder, 'old'));
        fs.symlinkSync(other, release);
      }),
    },
  );
  assert.equal(replaced.partial, true);
  assert.match(replaced.warnings.join('\n'), /current cannot be read: it was being replaced/);
  assert.doesNotMatch(replaced.warnings.join('\n'), /were deleted/);
  const deleted = await fixture.backUp({}, { parent: justBefore(other, () => fs.rmSync(other, { recursive: true })) });
  assert.equal(deleted.partial, false);
  assert.match(deleted.warnings.join('\n'), /^1 path was deleted after it had been listed$/m);
});

test('a source that is unmounted while it is read makes the backup partial', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await smallDisk(t, 2 ** 20);
  fs.writeFileSync(join(disk, 'file'), 'x');
  const parent = justBefore(disk, () => void execFileSync('umount', [disk]));
  const { partial, warnings } = await fixture.backUp({ paths: [disk] }, { parent });
  assert.equal(partial, true);
  assert.match(warnings.join('\n'), /disk cannot be read: its file system was unmounted/);
});

test('an include that matches nothing is named and makes the backup partial', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a', 'b']) fs.mkdirSync(join(fixture.tree, name));
  for (const name of ['a/x.sql', 'a/y', 'b/z.tmp']) fs.writeFileSync(join(fixture.tree, name), name);
  const good = [join(fixture.tree, 'a'), '*.sql', fixture.tree, '/'];
  const whole = await fixture.backUp({}, { include: good });
  assert.deepEqual([whole.partial, whole.warnings], [false, []]);
  const include = [...good, join(fixture.tree, 'c'), '*.sqll', '*.tmp'];
  const { partial, warnings } = await fixture.backUp({ exclude: ['*.tmp'] }, { include });
  assert.equal(partial, true);
  assert.deepEqual(
    warnings,
    [join(fixture.tree, 'c'), '*.sqll', '*.tmp'].map((pattern) => `nothing matches include ${pattern}`),
  );
});

test('a large file that is replaced while its parts are read is stored whole', async (t) => {
  const fixture = await filesFixture(t);
  const [path, next] = [join(fixture.tree, 'large'), join(fixture.folder, 'next')];
  const bytes = randomFillSync(Buffer.alloc(130 * 2 ** 20));
  fs.writeFileSync(path, bytes);
  bytes.reverse();
  fs.writeFileSync(next, bytes);
  const put = fixture.store.put.bind(fixture.store);
  fixture.store.put = async (name, ...rest) => {
    if (name.startsWith('data/') && fs.existsSync(next)) fs.renameSync(next, path);
    await put(name, ...rest);
  };
  const { warnings, totals } = await fixture.backUp();
  assert.deepEqual([warnings, totals.items, totals.bytes], [[], 1, bytes.length]);
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into, verify: false });
  assert(fs.readFileSync(join(into, path)).equals(bytes));
});

test('a large file that is written through memory while its parts are read has the bytes of its size, in their places', async (t) => {
  const fixture = await filesFixture(t);
  const path = join(fixture.tree, 'large');
  const bytes = randomFillSync(Buffer.alloc(200 * 2 ** 20));
  fs.writeFileSync(path, bytes);
  const edge = 128 * 2 ** 20; // of parts that are read one after the other;
  using memory = mapFile(path, bytes.length);
  const write = () => memory.write(edge, randomFillSync(Buffer.alloc(9 * 2 ** 20)));
  write(); // from now on these pages are dirty, and the file keeps its times
  const { ctimeNs } = fs.statSync(path, { bigint: true });
  const put = fixture.store.put.bind(fixture.store);
  fixture.store.put = async (name, ...rest) => {
    write();
    await put(name, ...rest);
  };
  await fixture.backUp();
  if (fs.statSync(path, { bigint: true }).ctimeNs !== ctimeNs) t.diagnostic('the system wrote it back meanwhile');
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into, verify: false });
  const stored = fs.readFileSync(join(into, path));
  assert.equal(stored.length, bytes.length);
  assert(stored.subarray(0, edge).equals(bytes.subarray(0, edge)), 'before the edge');
  const behind = edge + 9 * 2 ** 20;
  assert(stored.subarray(behind).equals(bytes.subarray(behind)), 'behind what was written');
});

/** A file in memory that is shared with it, as databases write. */
function mapFile(path: string, sizeBytes: number): Disposable & { write(at: number, bytes: Buffer): void } {
  const libc = koffi.load(null);
  const [readWrite, shared] = [3, 1];
  const map = libc.func('uintptr_t mmap(void *, size_t, int, int, int, int64_t)');
  const copy = libc.func('void *memcpy(uintptr_t, const void *, size_t)');
  const unmap = libc.func('int munmap(uintptr_t, size_t)');
  const descriptor = fs.openSync(path, 'r+');
  const start = BigInt(map(null, sizeBytes, readWrite, shared, descriptor, 0));
  fs.closeSync(descriptor);
  return {
    write: (at, bytes) => copy(start + BigInt(at), bytes, bytes.length),
    [Symbol.dispose]: () => unmap(start, sizeBytes),
  };
}

/** Has this done when `path` is about to be listed. */
function justBefore(path: string, work: () => void): TreeReader {
  return knownFolders([path], (asked) => {
    if (asked === path) work();
  });
}
