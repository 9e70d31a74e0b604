import assert from 'node:assert/strict';
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { run, runOk } from './process.ts';
import { atEnd } from './scope.ts';
import { tempFolder } from './temp.ts';

/**
 * A copy of a folder, to be read, on a real file system whose disk cannot give back the end of one file, from
 * `goodBytes` on: EIO. Mounting needs root; without it the test fails and says so.
 */
export async function badDisk(t: TestContext, folder: string, file: string, goodBytes: number): Promise<string> {
  const place = await tempFolder(t);
  const [image, disk] = [join(place, 'image'), join(place, 'disk')];
  const copy = join(disk, relative(folder, file));
  await mkdir(disk);
  await writeFile(image, '');
  await truncate(image, 64 * 2 ** 20);
  await runOk('mkfs.ext4', ['-q', '-b', `${blockBytes}`, '-O', '^has_journal', image]);
  await runOk('mount', ['-o', 'loop', image, disk]);
  atEnd(t, async () => {
    const mounted = (await run('mountpoint', ['-q', disk])).code === 0;
    if (mounted) await runOk('umount', [disk]);
  });
  await runOk('cp', ['-a', `${folder}/.`, disk]);
  await rm(copy);
  await runOk('sync', ['-f', disk]);
  await runOk('cp', ['-a', file, dirname(copy)]); // behind all others
  await runOk('sync', ['-f', disk]);
  const start = await firstBlock(copy);
  assert((await stat(copy)).size > goodBytes);
  await runOk('umount', [disk]);
  await runOk('mount', ['-o', 'loop,ro', image, disk]);
  await truncate(image, start * blockBytes + goodBytes);
  return disk;
}

const blockBytes = 4096;

/** The file must lie in one piece. */
async function firstBlock(path: string): Promise<number> {
  const { stdout } = await runOk('filefrag', ['-v', path]);
  const extents = [...stdout.matchAll(/^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\./gm)];
  assert.equal(extents.length, 1, stdout);
  return Number(extents[0]![1]);
}
