import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ReadRoom } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { loadNative, workingFolder } from '../system/native.ts';

/** Closes the handle in any case. */
export async function writeDurably(handle: FileHandle, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      signal?.throwIfAborted();
      done += (await handle.write(bytes, done)).bytesWritten;
    }
    await handle.sync();
    signal?.throwIfAborted();
  } finally {
    await handle.close();
  }
}

export async function renameIfAbsent(temporary: string, target: string, name: string): Promise<void> {
  try {
    await linkOrRename(temporary, target);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new TidemarkError('OBJECT_EXISTS', `object ${name} exists already`);
  }
}

/** NFS cannot rename without replacing, FAT and others cannot link; every file system in use can one of the two. */
async function linkOrRename(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error;
    return loadNative().renameNoReplace(workingFolder, temporary, workingFolder, target);
  }
  await unlink(temporary);
}

export async function unlinkIfPresent(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The bytes from `offset` on, as far as there are any, in memory that `room` gives or in a buffer of their own. */
export async function readFully<Memory extends ArrayBufferLike>(
  handle: FileHandle,
  offset: number,
  length: number,
  room?: ReadRoom<Memory>,
): Promise<Uint8Array<Memory | ArrayBuffer>> {
  const bytes = room?.(length) ?? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) return room === undefined ? bytes.slice(0, done) : bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

/** `mkdir -p` with 0700, each new folder made durable in its parent. `existing` and what is above it is not made. */
export async function makeFolders(path: string, existing?: string): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || parent === path || parent === existing) throw error;
    await makeFolders(parent, existing);
    await mkdir(path, 0o700).catch((again) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
  await syncFolder(parent);
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // SMB and some FUSE file systems do not know fsync of a folder.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

/** The `code` of an error of the system, empty for any other. */
export function codeOf(error: unknown): string {
  if (error instanceof TidemarkError) return '';
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
