import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { systemClock } from '../../../core/clock.ts';
import { decodeName, encodeName } from '../../../core/path-bytes.ts';
import { type Native, openNoAtime, workingFolder } from '../system/native.ts';
import type { FileStat } from '../system/stat.ts';
import type { InodeSet } from './inode-set.ts';
import type { FolderStamp, Place, ScanProblem } from './scan-task.ts';

export const remounted = 'its file system was unmounted, or mounted, while it was read';
/** The coarsest time stamps of a file system. */
export const racyMs = 2000;
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface Sighted {
  readonly native: Native;
  readonly known: InodeSet;
}

/** Throws ESTALE where `place` was found and another folder of the same file system stands there now. */
export function openFolder(native: Native, path: string, { deviceId, inode }: Partial<Place> = {}): number {
  const folder = openPath(native, path);
  if (inode === undefined) return folder;
  const now = native.stat(folder, '');
  if (now.deviceId !== deviceId || now.inode === inode) return folder;
  native.close(folder);
  const text = 'another folder stood in its place when it was to be read';
  throw Object.assign(new Error(text), { code: 'ESTALE', errno: -osConstants.errno.ESTALE });
}

function openPath(native: Native, path: string): number {
  try {
    return native.open(workingFolder, path, folderFlags | openNoAtime);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return native.open(workingFolder, path, folderFlags);
  }
}

/** As `problemOf`. What cannot be read is named by that, and need not be looked for. */
export function failed({ native, known }: Sighted, error: unknown, path: string): ScanProblem {
  const problem = problemOf(error, path);
  try {
    if (problem.kind === 'unreadable') known.add(native.stat(workingFolder, path));
  } catch {} // nor can it be seen
  return problem;
}

/** Of an error of the system; any other is thrown again. */
export function problemOf(error: unknown, path: string): ScanProblem {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) throw error;
  const vanished = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
  return { kind: vanished ? 'vanished' : 'unreadable', path, reason: message };
}

export function listFolder(native: Native, folder: number): string[] {
  return [...listRaw(native, folder)].map(nameOf);
}

/** As `Native.list`, each name once. */
export function listRaw(native: Native, folder: number): ReadonlySet<string> {
  return new Set(native.list(folder));
}

/** Of a name as `listRaw` gives it. */
export function nameOf(latin1: string): string {
  return isAscii(latin1) ? latin1 : decodeName(Buffer.from(latin1, 'latin1'));
}

export function rawOf(name: string): string {
  return isAscii(name) ? name : encodeName(name).toString('latin1');
}

/** To be taken before the folder is listed. */
export function stampOf(stat: FileStat): FolderStamp {
  const ageMs = systemClock.now().getTime() - Number(stat.ctimeNs / 1_000_000n);
  const ctimeNs = ageMs < racyMs ? -1n : stat.ctimeNs;
  return BigInt64Array.of(stat.deviceId, stat.inode, ctimeNs, stat.mtimeNs);
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
