import { constants } from 'node:fs';
import { type Native, openUnnamed } from '../system/native.ts';
import type { FileTask, Metadata, RestoreReport } from './restore-task.ts';
import type { TargetFolders } from './target-folders.ts';
import { applyMetadata, type Birth } from './target-metadata.ts';

/**
 * Writes new files that have no name until they are whole: what is cut off leaves nothing at all, and a folder is changed
 * once for each file, not twice as for a temporary. For files that come at one go. One per thread.
 */
export class UnnamedFiles {
  readonly #native: Native;
  readonly #folders: TargetFolders;
  readonly #report: () => RestoreReport;
  /** What the last file was born with: to ask costs a call. */
  #birth: (Birth & { readonly folder: string; readonly asked: number }) | undefined;
  /** Network and older file systems cannot; then it is not tried again. */
  #works = true;

  constructor(native: Native, folders: TargetFolders, report: () => RestoreReport) {
    this.#native = native;
    this.#folders = folders;
    this.#report = report;
  }

  /** False when this cannot be done here: nothing is written then, and nothing counted. EEXIST when the name is taken. */
  write(task: FileTask, fill: (descriptor: number) => void): boolean {
    const folder = this.#folders.descriptor(task.folder);
    const descriptor = this.#works ? this.#open(folder, askedMode(task.metadata)) : undefined;
    if (descriptor === undefined) return false;
    const report = this.#report();
    const before = { ...report };
    try {
      fill(descriptor);
      applyMetadata(this.#native, descriptor, task.metadata, report, this.#birthOf(task, descriptor));
      this.#works = this.#link(descriptor, folder, task.name);
    } finally {
      this.#native.close(descriptor);
    }
    if (!this.#works) Object.assign(report, before);
    return this.#works;
  }

  #open(folder: number, mode: number): number | undefined {
    try {
      return this.#native.open(folder, '.', constants.O_WRONLY | openUnnamed, mode);
    } catch (error) {
      if (!unsupported.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      this.#works = false;
      return undefined;
    }
  }

  /** Files of one folder that ask for the same mode are born alike, whatever umask, setgid and default ACL make of it. */
  #birthOf({ folder, metadata }: FileTask, descriptor: number): Birth {
    const asked = askedMode(metadata);
    if (this.#birth?.folder !== folder || this.#birth.asked !== asked) {
      const { uid, gid, mode } = this.#native.stat(descriptor, '');
      this.#birth = { uid, gid, mode, folder, asked };
    }
    return this.#birth;
  }

  /** What else stops it, as no /proc, or a rule about links to what others own, does not stop a rename. */
  #link(descriptor: number, folder: number, name: string): boolean {
    try {
      this.#native.linkUnnamed(descriptor, folder, name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
      return false;
    }
  }
}

const unsupported = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL', 'ENOSYS']);

function askedMode({ mode }: Metadata): number {
  return mode & 0o777;
}
