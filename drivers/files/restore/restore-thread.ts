import { constants } from 'node:fs';
import type { ThreadContext, ThreadSession } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { loadNative, type Native, openNoAtime } from '../system/native.ts';
import { typeModes } from '../system/stat.ts';
import {
  childPath,
  type Entry,
  emptyRestoreReport,
  type FileTask,
  type HardLink,
  type Metadata,
  type RestoreReport,
  type RestoreSetup,
  type RestoreTask,
} from './restore-task.ts';
import { renameInto, TargetFiles } from './target-files.ts';
import { linkInTheWay, TargetFolders } from './target-folders.ts';
import { applyAttributes, applyMetadata, countRefusal } from './target-metadata.ts';

/** The thread module of a restore into folders: makes folders and entries, writes files. */
export const moduleUrl = import.meta.url;

export function open(setup: RestoreSetup, context: ThreadContext): ThreadSession<RestoreTask, RestoreReport> {
  return new RestoreThread(setup, context);
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

class RestoreThread implements ThreadSession<RestoreTask, RestoreReport> {
  readonly #setup: RestoreSetup;
  readonly #context: ThreadContext;
  readonly #native: Native = loadNative();
  readonly #folders: TargetFolders;
  readonly #files: TargetFiles;
  readonly #temporary: string;
  #report = emptyRestoreReport();

  constructor(setup: RestoreSetup, context: ThreadContext) {
    this.#setup = setup;
    this.#context = context;
    this.#temporary = `${setup.temporaryPrefix}-thread-${context.thread}`;
    this.#folders = new TargetFolders(this.#native, setup.root);
    this.#files = new TargetFiles(this.#native, this.#folders, setup.replace, () => this.#report);
  }

  run(task: RestoreTask): RestoreReport {
    if (task.kind === 'folders') for (const path of task.paths) this.#at(path, () => this.#makeFolder(path));
    if (task.kind === 'entries') for (const entry of task.entries) this.#atChild(entry, () => this.#makeEntry(entry));
    if (task.kind === 'links') for (const link of task.links) this.#atChild(link, () => this.#makeLink(link));
    if (task.kind === 'folder-metadata') {
      for (const { path, metadata } of task.folders) this.#at(path, () => this.#setFolderMetadata(path, metadata));
    }
    if (task.kind === 'report') this.#files.close();
    const report = this.#report;
    this.#report = emptyRestoreReport();
    return report;
  }

  blob(task: FileTask, offset: number, bytes: Uint8Array, last: boolean): void {
    this.#atChild(task, () => {
      if (task.verify) this.#files.compare(task, offset, bytes, last);
      else this.#files.write(task, offset, bytes, last);
    });
    if (!task.verify) this.#context.progress({ bytes: bytes.length, items: last ? 1 : 0 });
  }

  close(): void {
    this.#files.close();
    this.#folders.close();
  }

  #makeFolder(path: string): void {
    const [parent, name] = this.#parentOf(path);
    try {
      this.#native.makeFolder(parent, name, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      this.#replaceByFolder(parent, name, path);
    }
  }

  /** A symbolic link is left alone even then: somebody meant it to lead elsewhere. */
  #replaceByFolder(parent: number, name: string, path: string): void {
    const { type } = this.#native.stat(parent, name);
    if (type === 'dir') return;
    if (type === 'symlink') throw linkInTheWay(path);
    if (!this.#setup.replace) throw inTheWay(path);
    this.#native.remove(parent, name, 'file');
    this.#native.makeFolder(parent, name, 0o700);
  }

  #makeEntry(entry: Entry): void {
    const folder = this.#folders.descriptor(entry.folder);
    const name = this.#setup.replace ? this.#temporary : entry.name;
    if (!this.#create(folder, name, entry)) return;
    const path = `/proc/self/fd/${folder}/${name}`;
    countRefusal(this.#report, 'owners', () =>
      this.#native.chown(folder, name, entry.metadata.uid, entry.metadata.gid),
    );
    applyAttributes(this.#native, path, entry.metadata, this.#report);
    if (entry.type !== 'symlink') this.#native.setMode(folder, name, entry.metadata.mode);
    this.#native.setTimes(folder, name, entry.metadata.atimeNs, entry.metadata.mtimeNs);
    if (name !== entry.name) renameInto(this.#native, folder, name, entry.name, true);
    this.#context.progress({ items: 1 });
  }

  /** False where the user may not make such a thing. */
  #create(folder: number, name: string, entry: Entry): boolean {
    if (entry.type === 'symlink') {
      this.#native.makeSymlink(entry.linkTarget ?? '', folder, name);
      return true;
    }
    return countRefusal(this.#report, 'specials', () =>
      this.#native.makeNode(folder, name, typeModes[entry.type] | 0o600, entry.device ?? 0n),
    );
  }

  #makeLink({ folder, name, toFolder, toName }: HardLink): void {
    const from = this.#folders.descriptor(toFolder);
    const to = this.#folders.descriptor(folder);
    const target = this.#setup.replace ? this.#temporary : name;
    this.#native.makeLink(from, toName, to, target);
    // A rename between two names of one file does nothing, so what is there goes first.
    if (target !== name) {
      renameInto(this.#native, to, target, name, true);
      this.#removeIfPresent(to, target);
    }
    this.#context.progress({ items: 1 });
  }

  #removeIfPresent(folder: number, name: string): void {
    try {
      this.#native.remove(folder, name, 'file');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  #setFolderMetadata(path: string, metadata: Metadata): void {
    const [parent, name] = this.#parentOf(path);
    const descriptor = this.#openFolder(parent, name);
    try {
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

  #atChild(entry: { folder: string; name: string }, work: () => void): void {
    this.#at(childPath(entry.folder, entry.name), work);
  }

  /** Says which path it was when the system refuses something. */
  #at(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      throw translate(error, path);
    }
  }
}

function inTheWay(path: string): TidemarkError {
  return new TidemarkError('TARGET_NOT_EMPTY', `${path} exists already in the restore target`, {
    hint: 'Restore into an empty folder, or allow to overwrite.',
  });
}

function translate(error: unknown, path: string): unknown {
  if (error instanceof TidemarkError) return error;
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (errno === undefined) return error;
  if (code === 'EEXIST') return inTheWay(path);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const reason = full ? 'no space left' : message;
  return new TidemarkError('TARGET_FAILED', `${path.toWellFormed()} cannot be written: ${reason}`, {
    hint: full
      ? 'Make room in the target, or restore into a folder on a larger file system.'
      : 'See that the user who runs tidemark may write there.',
    cause: error,
  });
}
