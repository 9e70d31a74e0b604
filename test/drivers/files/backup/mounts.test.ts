import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TreeReader } from '../../../../core/driver/index.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { filesFixture } from '../fixture.ts';
import { knownFolders } from './known-folders.ts';

test('a file system that is unmounted before the folder of its mount point is listed makes the backup partial', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  const parent = justBefore(paths[0]!, () => umount(disk));
  const { partial, warnings } = await fixture.backUp({ paths }, { parent });
  assert.deepEqual([partial, warnings], [true, [remounted(disk)]]);
});

test('a file system that is mounted while a backup runs makes it partial', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  umount(disk);
  const mount = () => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tidemark-test', disk]);
  const { partial, warnings } = await fixture.backUp({ paths }, { parent: justBefore(paths[0]!, mount) });
  assert.deepEqual([partial, warnings], [true, [remounted(disk)]]);
});

test('a file system that is not gone into may come and go', async (t) => {
  const fixture = await filesFixture(t);
  for (const held of [{ exclude: ['disk'] }, { exclude: ['/**/disk'] }, { oneFileSystem: true }]) {
    const { disk, paths } = await diskInSource(t);
    const parent = justBefore(paths[0]!, () => umount(disk));
    const { partial, warnings } = await fixture.backUp({ paths, ...held }, { parent });
    assert.deepEqual([partial, warnings], [false, []], JSON.stringify(held));
  }
  for (const [include, expected] of [
    [['/**/beside'], true],
    [['beside'], true],
    [[join('PATH', 'beside')], false],
    [[join('PATH', 'disk')], true],
  ] as const) {
    const { disk, paths } = await diskInSource(t);
    const parent = justBefore(paths[0]!, () => umount(disk));
    const selected = include.map((pattern) => pattern.replace('PATH', paths[0]!));
    const { partial } = await fixture.backUp({ paths }, { parent, include: selected });
    assert.equal(partial, expected, selected.join());
  }
});

const remounted = (path: string) =>
  `${path} cannot be read: its file system was unmounted, or mounted, while it was read`;

/** A source with a file system mounted in it. */
async function diskInSource(t: TestContext): Promise<{ readonly disk: string; readonly paths: readonly string[] }> {
  const disk = await smallDisk(t, 2 ** 20);
  fs.writeFileSync(join(disk, 'file'), 'x');
  fs.writeFileSync(join(dirname(disk), 'beside'), 'x');
  return { disk, paths: [dirname(disk)] };
}

function umount(disk: string): void {
  execFileSync('umount', [disk]);
}

/** Has this done when `path` is about to be listed. */
function justBefore(path: string, work: () => void): TreeReader {
  return knownFolders([path], (asked) => {
    if (asked === path) work();
  });
}
