import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run, runOk } from './process.ts';
import { atEnd } from './scope.ts';
import { tempFolder } from './temp.ts';

/** A real file system of this size, for so many files and folders, that gets full for real. Mounting needs root; without it the test fails and says so. */
export async function smallDisk(t: TestContext, sizeBytes: number, inodes = 100_000): Promise<string> {
  const folder = join(await tempFolder(t), 'disk');
  await mkdir(folder);
  await runOk('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},nr_inodes=${inodes}`, 'tidemark-test', folder]);
  atEnd(t, async () => {
    const mounted = (await run('mountpoint', ['-q', folder])).code === 0;
    if (mounted) await runOk('umount', ['--lazy', folder]);
  });
  return folder;
}
