import { constants, ftruncateSync, readSync, writeSync } from 'node:fs';
import type { FileEnd } from '../../../core/driver/index.ts';
import { type Native, openNoAtime } from '../system/native.ts';
import { childPath, type FileTask, type RestoreReport, type RestoreSetup } from './restore-task.ts';
import type { TargetFolders } from './target-folders.ts';
import { applyMetadata } from './target-metadata.ts';
import { UnnamedFiles } from './unnamed-files.ts';

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const startedFile = constants.O_WRONLY | constants.O_NOFOLLOW;
const readFile = constants.O_RDONLY | constants.O_NOFOLLOW;
const keptOpen = 64;
/** Runs of zeros of this size, at such offsets, become holes. */
const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);

/** Writes the files of a restore blob by blob, in any order, or compares them. One per thread. */
export class TargetFiles {
  readonly #native: Native;
  readonly #folders: TargetFolders;
  readonly #report: () => RestoreReport;
  readonly #setup: RestoreSetup;
  readonly #unnamed: UnnamedFiles;
  /** Files with blobs still to come, oldest use first. */
  readonly #open = new Map<number, number>();
  readonly #differing = new Set<number>();
  #compareBuffer = Buffer.alloc(0);

  constructor(native: Native, folders: TargetFolders, setup: RestoreSetup, report: () => RestoreReport) {
    this.#native = native;
    this.#folders = folders;
    this.#setup = setup;
    this.#report = report;
    this.#unnamed = new UnnamedFiles(native, folders, report);
  }

  /** With `end` the file gets its name, or, when it is damaged and not to be kept, goes away. */
  write(task: FileTask, offset: number, bytes: Uint8Array, end?: FileEnd): void {
    if (end === 'damaged' && !this.#setup.keepDamaged) {
      this.discard(task);
      return;
    }
    if (end === 'whole' && this.#isNewAtOnce(task) && this.#unnamed.write(task, (it) => fill(it, task, bytes))) return;
    const descriptor = this.#take(task, () => this.#openToWrite(task));
    try {
      if (bytes.length > 0) writeWithHoles(descriptor, bytes, offset);
      if (end === undefined) {
        this.#keep(task, descriptor);
        return;
      }
      if (end === 'damaged' || task.sizeBytes >= holeBytes) ftruncateSync(descriptor, task.sizeBytes);
      applyMetadata(this.#native, descriptor, task.metadata, this.#report());
      this.#rename(task);
    } catch (error) {
      this.#native.close(descriptor);
      throw error;
    }
    this.#native.close(descriptor);
  }

  /** Takes away what was written of a file. */
  discard(task: FileTask): void {
    const descriptor = this.#open.get(keyOf(task));
    this.#open.delete(keyOf(task));
    if (descriptor !== undefined) this.#native.close(descriptor);
    removeIfPresent(this.#native, this.#folders.descriptor(task.folder), task.temporary);
  }

  compare(task: FileTask, offset: number, bytes: Uint8Array, end?: FileEnd): void {
    const last = end !== undefined;
    try {
      const descriptor = this.#take(task, () => this.#openToRead(task));
      const same = this.#holds(descriptor, offset, bytes);
      const whole = !last || this.#native.stat(descriptor, '').sizeBytes === task.sizeBytes;
      if (!same || !whole) this.#differs(task);
      if (last) this.#native.close(descriptor);
      else this.#keep(task, descriptor);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
      this.#differs(task);
    }
  }

  /** Also when a batch ends: its last blobs may have gone to other threads. */
  close(): void {
    for (const descriptor of this.#open.values()) this.#native.close(descriptor);
    this.#open.clear();
  }

  #isNewAtOnce({ shared }: FileTask): boolean {
    return !shared && !this.#setup.replace;
  }

  #take(task: FileTask, open: () => number): number {
    const key = keyOf(task);
    const known = this.#open.get(key);
    this.#open.delete(key);
    return known ?? open();
  }

  #keep(task: FileTask, descriptor: number): void {
    this.#open.set(keyOf(task), descriptor);
    if (this.#open.size <= keptOpen) return;
    const [oldest, itsDescriptor] = this.#open.entries().next().value!;
    this.#open.delete(oldest);
    this.#native.close(itsDescriptor);
  }

  /** A file of several blobs may have been started by another thread, or by this one before it had too many open. */
  #openToWrite(task: FileTask): number {
    const folder = this.#folders.descriptor(task.folder);
    try {
      return this.#native.open(folder, task.temporary, newFile, 0o600);
    } catch (error) {
      if (!task.shared || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return this.#native.open(folder, task.temporary, startedFile);
    }
  }

  #openToRead(task: FileTask): number {
    const folder = this.#folders.descriptor(task.folder);
    try {
      return this.#native.open(folder, task.name, readFile | openNoAtime);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      return this.#native.open(folder, task.name, readFile);
    }
  }

  #rename({ folder, temporary, name }: FileTask): void {
    renameInto(this.#native, this.#folders.descriptor(folder), temporary, name, this.#setup.replace);
  }

  #holds(descriptor: number, offset: number, bytes: Uint8Array): boolean {
    if (this.#compareBuffer.length < bytes.length) this.#compareBuffer = Buffer.allocUnsafeSlow(bytes.length);
    let have = 0;
    while (have < bytes.length) {
      const read = readSync(descriptor, this.#compareBuffer, have, bytes.length - have, offset + have);
      if (read === 0) return false;
      have += read;
    }
    return this.#compareBuffer.subarray(0, have).equals(bytes);
  }

  #differs(task: FileTask): void {
    if (this.#differing.has(task.id)) return;
    this.#differing.add(task.id);
    this.#report().differing.push(childPath(task.folder, task.name));
  }
}

/** A file is open for writing under its number and for comparing under another. */
function keyOf({ id, verify }: FileTask): number {
  return verify ? -1 - id : id;
}

/**
 * Puts a finished temporary in its place. An empty folder in the way is removed, a full one is ENOTEMPTY; without
 * `replace` anything in the way is EEXIST, as where a file system takes two names of the backup for one.
 */
export function renameInto(native: Native, folder: number, temporary: string, name: string, replace: boolean): void {
  if (!replace) {
    renameToNew(native, folder, temporary, name);
    return;
  }
  try {
    native.rename(folder, temporary, folder, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    native.remove(folder, name, 'folder');
    native.rename(folder, temporary, folder, name);
  }
}

/** Where a file system cannot rename without replacing, a link that is made and its first name removed does the same. */
function renameToNew(native: Native, folder: number, temporary: string, name: string): void {
  try {
    native.renameNoReplace(folder, temporary, folder, name);
  } catch (error) {
    if (!['EINVAL', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    native.makeLink(folder, temporary, folder, name);
    native.remove(folder, temporary, 'file');
  }
}

export function removeIfPresent(native: Native, folder: number, name: string): void {
  try {
    native.remove(folder, name, 'file');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function fill(descriptor: number, { sizeBytes }: FileTask, bytes: Uint8Array): void {
  writeWithHoles(descriptor, bytes, 0);
  if (sizeBytes >= holeBytes) ftruncateSync(descriptor, sizeBytes);
}

function writeWithHoles(descriptor: number, bytes: Uint8Array, offset: number): void {
  let start = 0;
  for (let at = alignUp(offset) - offset; at + holeBytes <= bytes.length; at += holeBytes) {
    if (!zeros.equals(bytes.subarray(at, at + holeBytes))) continue;
    writeAll(descriptor, bytes.subarray(start, at), offset + start);
    start = at + holeBytes;
  }
  writeAll(descriptor, bytes.subarray(start), offset + start);
}

function alignUp(offset: number): number {
  return Math.ceil(offset / holeBytes) * holeBytes;
}

function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
  }
}
