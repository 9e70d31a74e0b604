import { constants } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import type { FileEnd, RestoreThreadContext, ThreadSession } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { loadNative, type Native, openNoAtime } from '../system/native.ts';
import { typeModes } from '../system/stat.ts';
import {
  childPath,
  type Entry,
  emptyRestoreReport,
  type FileTask,
  type FinishedFolder,
  type HardLink,
  type RestoreReport,
  type RestoreSetup,
  type RestoreTask,
  threadTemporary,
} from './restore-task.ts';
import { TargetFileSystems } from './target-file-systems.ts';
import { removeIfPresent, renameInto, TargetFiles } from './target-files.ts';
import { linkInTheWay, TargetFolders } from './target-folders.ts';
import { applyAttributes, applyMetadata, countRefusal } from './target-metadata.ts';

/** The thread module of a restore into folders: makes folders and entries, writes files. */
export function open(setup: RestoreSetup, context: RestoreThreadContext): ThreadSession<RestoreTask, RestoreReport> {
  return new RestoreThread(setup, context);
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

class RestoreThread implements ThreadSession<RestoreTask, RestoreReport> {
  readonly #setup: RestoreSetup;
  readonly #context: RestoreThreadContext;
  readonly #native: Native = loadNative();
  readonly #fileSystems: TargetFileSystems;
  readonly #folders: TargetFolders;
  readonly #files: TargetFiles;
  readonly #temporary: string;
  /** Files that the target refused a part of. */
  readonly #givenUp = new Set<number>();
  #report = emptyRestoreReport();

  constructor(setup: RestoreSetup, context: RestoreThreadContext) {
    this.#setup = setup;
    this.#context = context;
    this.#temporary = threadTemporary(setup.temporaryPrefix, context.thread);
    this.#fileSystems = new TargetFileSystems(this.#native);
    this.#folders = new TargetFolders(this.#native, setup.root, (folder, path) => this.#meet(folder, path));
    this.#files = new TargetFiles(this.#native, this.#folders, setup, () => this.#report);
  }

  run(task: RestoreTask): RestoreReport {
    if (task.kind === 'folders') for (const path of task.paths) this.#try(path, () => this.#makeFolder(path));
    if (task.kind === 'entries') for (const entry of task.entries) this.#tryChild(entry, () => this.#makeEntry(entry));
    if (task.kind === 'links') for (const link of task.links) this.#tryChild(link, () => this.#makeLink(link));
    if (task.kind === 'folder-metadata') {
      for (const folder of task.folders) this.#try(folder.path, () => this.#setFolderMetadata(folder));
    }
    if (task.kind === 'sync') this.#fileSystems.sync();
    if (task.kind === 'report') this.#endBatch();
    const report = this.#report;
    this.#report = emptyRestoreReport();
    return report;
  }

  blob(task: FileTask, offset: number, bytes: Uint8Array, end?: FileEnd): boolean {
    if (task.verify) return this.#tryChild(task, () => this.#files.compare(task, offset, bytes, end));
    const written =
      !this.#givenUp.has(task.id) && this.#tryChild(task, () => this.#files.write(task, offset, bytes, end));
    if (!written) this.#giveUp(task, end);
    else this.#context.progress({ bytes: bytes.length, items: end === 'whole' ? 1 : 0 });
    return written;
  }

  close(): void {
    this.#files.close();
    this.#folders.close();
    this.#fileSystems.close();
  }

  #meet(folder: number, path: string): void {
    this.#fileSystems.meet(folder, join(this.#setup.root, path));
  }

  #giveUp(task: FileTask, end?: FileEnd): void {
    this.#givenUp.add(task.id);
    if (end !== undefined) this.#tryChild(task, () => this.#files.discard(task));
  }

  #endBatch(): void {
    this.#files.close();
    this.#givenUp.clear();
  }

  #makeFolder(path: string): void {
    const [parent, name] = this.#parentOf(path);
    try {
      this.#native.makeFolder(parent, name, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      this.#replaceByFolder(parent, name, path, error);
    }
  }

  /** A symbolic link is left alone even then: somebody meant it to lead elsewhere. */
  #replaceByFolder(parent: number, name: string, path: string, exists: unknown): void {
    const { type } = this.#native.stat(parent, name);
    if (type === 'dir') return;
    if (type === 'symlink') throw linkInTheWay(path);
    if (!this.#setup.replace) throw exists;
    this.#native.remove(parent, name, 'file');
    this.#native.makeFolder(parent, name, 0o700);
  }

  #makeEntry(entry: Entry): void {
    const folder = this.#folders.descriptor(entry.folder);
    const name = this.#setup.replace ? this.#temporary : entry.name;
    this.#create(folder, name, entry);
    this.#describe(folder, name, entry);
    if (name !== entry.name) this.#putInPlace(folder, entry.name);
    this.#context.progress({ items: 1 });
  }

  #create(folder: number, name: string, { type, linkTarget, device }: Entry): void {
    if (type === 'symlink') this.#native.makeSymlink(linkTarget ?? '', folder, name);
    else this.#native.makeNode(folder, name, typeModes[type] | 0o600, device ?? 0n);
  }

  #describe(folder: number, name: string, { type, metadata }: Entry): void {
    const { uid, gid, mode, atimeNs, mtimeNs } = metadata;
    countRefusal(this.#report, 'owners', () => this.#native.chown(folder, name, uid, gid));
    applyAttributes(this.#native, `/proc/self/fd/${folder}/${name}`, metadata, this.#report);
    if (type !== 'symlink') countRefusal(this.#report, 'modes', () => this.#native.setMode(folder, name, mode));
    countRefusal(this.#report, 'times', () => this.#native.setTimes(folder, name, atimeNs, mtimeNs));
  }

  #makeLink({ folder, name, toFolder, toName }: HardLink): void {
    const [from, to] = this.#folders.pair(toFolder, folder);
    const target = this.#setup.replace ? this.#temporary : name;
    try {
      this.#native.makeLink(from, toName, to, target);
    } catch (error) {
      if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      this.#report.unlinked.push(childPath(folder, name));
      return;
    }
    if (target !== name) this.#putInPlace(to, name);
    this.#context.progress({ items: 1 });
  }

  /** A rename between two names of one file does nothing, so the temporary may still be there. */
  #putInPlace(folder: number, name: string): void {
    try {
      renameInto(this.#native, folder, this.#temporary, name, true);
    } finally {
      removeIfPresent(this.#native, folder, this.#temporary);
    }
  }

  #setFolderMetadata({ path, metadata }: FinishedFolder): void {
    const [parent, name] = this.#parentOf(path);
    const descriptor = this.#openFolder(parent, name);
    try {
      this.#meet(descriptor, path);
      applyMetadata(this.#native, descriptor, metadata, this.#report);
    } finally {
      this.#native.close(descriptor);
    }
    this.#context.progress({ items: 1 });
  }

  #openFolder(parent: number, name: string): number {
    try {
      return this.#native.open(parent, name, folderFlags | openNoAtime);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      return this.#native.open(parent, name, folderFlags);
    }
  }

  #parentOf(path: string): [descriptor: number, name: string] {
    const slash = path.lastIndexOf('/');
    return [this.#folders.descriptor(slash < 0 ? '' : path.slice(0, slash)), path.slice(slash + 1)];
  }

  #tryChild(entry: { folder: string; name: string }, work: () => void): boolean {
    return this.#try(childPath(entry.folder, entry.name), work);
  }

  /** What the target refuses is reported and false; what would go wrong with everything else too is TARGET_FAILED. */
  #try(path: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const { code = '', errno, syscall } = error as NodeJS.ErrnoException;
      if (error instanceof TidemarkError || errno === undefined) throw error;
      if (hopeless.has(code)) throw targetFailed(error as NodeJS.ErrnoException, path);
      const words = code === 'EEXIST' ? 'exists already in the target' : getSystemErrorMessage(errno);
      this.#report.refused.push({ path, detail: `${words} (${code}: ${syscall})` });
      return false;
    }
  }
}

/** What a file system answers that has no hard links, or not as many, or not across a border inside it. */
const noLinks = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV']);
const noSpace = new Set(['ENOSPC', 'EDQUOT']);
/** No space, a broken or read-only file system, a server that is gone, this process out of means. */
const hopeless = new Set([...noSpace, 'EIO', 'EROFS', 'ESTALE', 'ENODEV', 'ENOTCONN', 'EMFILE', 'ENFILE', 'ENOMEM']);

function targetFailed(error: NodeJS.ErrnoException, path: string): TidemarkError {
  const full = noSpace.has(error.code ?? '');
  const reason = full ? 'no space left' : `${getSystemErrorMessage(error.errno!)} (${error.code}: ${error.syscall})`;
  return new TidemarkError('TARGET_FAILED', `${path.toWellFormed()} cannot be written: ${reason}`, {
    hint: full
      ? 'Make room in the target, or restore into a folder on a larger file system.'
      : 'See that the file system of the target is sound and mounted writable.',
    cause: error,
  });
}
