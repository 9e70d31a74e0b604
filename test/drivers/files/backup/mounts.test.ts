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
  const parent = justBefore(paths[0]!, () => mount(disk));
  const { partial, warnings } = await fixture.backUp({ paths }, { parent });
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

test('a mount point that is an empty folder makes backups partial until something is there, or it is gone', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  const whole = await fixture.backUp({ paths });
  assert.deepEqual([whole.partial, whole.contents[0]!.mounts], [false, [disk]]);
  umount(disk);
  const partial = async (settings = {}) => {
    const facts = await fixture.backUp({ paths, ...settings });
    assert.deepEqual(facts.warnings, facts.partial ? [unmounted(disk)] : [], JSON.stringify(settings));
    return facts.partial;
  };
  for (const time of ['first', 'second']) assert.equal(await partial(), true, time);
  for (const settled of [{ mayBeEmpty: true }, { exclude: ['disk'] }, { oneFileSystem: true }]) {
    assert.deepEqual([await partial(settled), await partial()], [false, false], JSON.stringify(settled));
    mount(disk);
    fs.writeFileSync(join(disk, 'file'), 'x');
    assert.equal(await partial(), false);
    umount(disk);
    assert.equal(await partial(), true);
  }
  fs.writeFileSync(join(disk, 'file'), 'x');
  assert.equal(await partial(), false);
  fs.rmSync(join(disk, 'file'));
  assert.equal(await partial(), false, 'files that were deleted from what is no mount point any more');
});

test('a mount point that is gone, or was empty, is not missed', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  fs.rmSync(join(disk, 'file'));
  await fixture.backUp({ paths });
  umount(disk);
  assert.equal((await fixture.backUp({ paths })).partial, false);
  mount(disk);
  fs.writeFileSync(join(disk, 'file'), 'x');
  await fixture.backUp({ paths });
  umount(disk);
  fs.rmdirSync(disk);
  assert.equal((await fixture.backUp({ paths })).partial, false);
});

test('mount points below a file system that is not mounted are remembered until it is', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  const inner = join(disk, 'inner');
  fs.mkdirSync(inner);
  mount(inner);
  fs.writeFileSync(join(inner, 'file'), 'x');
  assert.equal((await fixture.backUp({ paths })).partial, false);
  for (const folder of [inner, disk]) umount(folder);
  for (const asked of [paths, [disk], paths]) {
    const { partial, warnings } = await fixture.backUp({ paths: asked });
    assert.deepEqual([partial, warnings], [true, [unmounted(disk)]]);
  }
  mount(disk);
  fs.mkdirSync(inner);
  fs.writeFileSync(join(disk, 'file'), 'x');
  const { partial, warnings } = await fixture.backUp({ paths });
  assert.deepEqual([partial, warnings], [true, [unmounted(inner)]]);
});

test('a file system that goes while the first backup runs makes the next one partial, too', async (t) => {
  const fixture = await filesFixture(t);
  const { disk, paths } = await diskInSource(t);
  await fixture.backUp({ paths }, { parent: justBefore(paths[0]!, () => umount(disk)) });
  const { partial, warnings } = await fixture.backUp({ paths });
  assert.deepEqual([partial, warnings], [true, [unmounted(disk)]]);
});

const unmounted = (path: string) =>
  `${path} holds nothing to back up, and did in an earlier backup: mount what belongs there and back up again, or set \`mayBeEmpty: true\` on the source where that is meant`;
const remounted = (path: string) =>
  `${path} cannot be read: its file system was unmounted, or mounted, while it was read`;

/** A source with a file system mounted in it. */
async function diskInSource(t: TestContext): Promise<{ readonly disk: string; readonly paths: readonly string[] }> {
  const disk = await smallDisk(t, 2 ** 20);
  fs.writeFileSync(join(disk, 'file'), 'x');
  fs.writeFileSync(join(dirname(disk), 'beside'), 'x');
  return { disk, paths: [dirname(disk)] };
}

function mount(disk: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tidemark-test', disk]);
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
