import { constants, type FileHandle, open } from 'node:fs/promises';
import { formatBytes } from './units.ts';

/** What reading a file came to: its bytes, or in words why not, and whether something else than a file is there. */
export type RegularFile =
  | {
      readonly bytes: Buffer;
      readonly unreadable?: undefined;
      readonly isOther?: undefined;
      readonly cause?: undefined;
    }
  | { readonly bytes?: undefined; readonly unreadable: string; readonly isOther: boolean; readonly cause?: unknown };

/**
 * The bytes of a regular file that has at most so many. Never waits for another process, as reading a pipe would, and
 * never reads without end, as from a device.
 */
export async function readRegularFile(path: string, limitBytes: number): Promise<RegularFile> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return { unreadable: notRegular, isOther: true };
    const bytes = await readUpTo(file, limitBytes + 1);
    if (bytes.length <= limitBytes) return { bytes };
    return { unreadable: `it is larger than ${formatBytes(limitBytes)}`, isOther: false };
  } catch (cause) {
    const unreadable = reasonFor(cause);
    return { unreadable, isOther: unreadable === notRegular, cause };
  }
}

/** Why a file or folder cannot be reached, in words. */
export function reasonFor(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ''] ?? code ?? message ?? String(error);
}

const notRegular = 'it is not a regular file';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'permission denied',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ERR_INVALID_ARG_VALUE: 'its name has a NUL in it',
  ENXIO: notRegular, // a socket
};

/** The size that the file system tells is no limit: a file may grow, and one of /proc has none. */
async function readUpTo(file: FileHandle, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of file.createReadStream({ end: mostBytes - 1, autoClose: false })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
