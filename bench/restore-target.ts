import { mkdir, mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Lab } from './lab.ts';

/** Where one restore writes to, gone with everything in it when it is disposed. */
export interface RestoreTarget extends AsyncDisposable {
  readonly folder: string;
}

/**
 * A new file system of its own, on the disk of the data: ext4 takes up to twenty times as long to make files within five
 * minutes after others were deleted on it (it passes over their inodes one by one where it has no journal). Mounting
 * needs root; without it, a new folder.
 */
export async function diskTarget(lab: Lab, sizeBytes: number): Promise<RestoreTarget> {
  const place = await mkdtemp(join(lab.dataFolder, 'work', 'restored-'));
  const folder = join(place, 'disk');
  await mkdir(folder);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await mountImage(join(place, 'image'), folder, sizeBytes);
  return {
    folder: join(folder, 'into'),
    async [Symbol.asyncDispose]() {
      if (isRoot) await runOk('umount', [folder]);
      await rm(place, { recursive: true });
    },
  };
}

async function mountImage(image: string, folder: string, sizeBytes: number): Promise<void> {
  await writeFile(image, '');
  await truncate(image, 2 * sizeBytes + 2 ** 30);
  await runOk('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  await runOk('mount', ['-o', 'loop', image, folder]);
}

/** In memory, where no disk has a say; undefined where there is not enough. */
export async function memoryTarget(sizeBytes: number): Promise<RestoreTarget | undefined> {
  const { bavail, bsize } = await statfs('/dev/shm');
  if (bavail * bsize < 2 * sizeBytes) return undefined;
  const folder = await mkdtemp('/dev/shm/tidemark-bench-');
  return {
    folder: join(folder, 'into'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
