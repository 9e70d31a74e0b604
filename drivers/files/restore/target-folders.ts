import { constants } from 'node:fs';
import { TidemarkError } from '../../../core/error.ts';
import { type Native, openPathOnly, workingFolder } from '../system/native.ts';

const folderFlags = constants.O_DIRECTORY | constants.O_NOFOLLOW | openPathOnly;
const keptOpen = 128;

type Opened = (folder: number, path: string) => void;

/**
 * Folders of a restore target, opened one name after the other from the root, so that a symbolic link on the way is an
 * error (TARGET_UNSAFE) and never followed, whoever put it there.
 */
export class TargetFolders {
  readonly #native: Native;
  readonly #opened: Opened;
  readonly #root: number;
  readonly #open = new Map<string, number>();
  /** Stays open, however many others are opened. */
  #held: string | undefined;

  /** `opened` is told each folder before it is given away. */
  constructor(native: Native, root: string, opened: Opened = () => {}) {
    this.#native = native;
    this.#opened = opened;
    this.#root = native.open(workingFolder, root, constants.O_DIRECTORY | openPathOnly);
    opened(this.#root, '');
  }

  /** A descriptor for calls that are relative to the folder; stays ours, and open only until the next call: for two, `pair`. */
  descriptor(path: string): number {
    if (path === '') return this.#root;
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parent = this.descriptor(slash < 0 ? '' : path.slice(0, slash));
    const descriptor = this.#openChild(parent, path.slice(slash + 1), path);
    this.#keep(path, descriptor);
    this.#opened(descriptor, path);
    return descriptor;
  }

  /** Descriptors of two folders, both open until the next call. */
  pair(first: string, second: string): [first: number, second: number] {
    const descriptor = this.descriptor(first);
    this.#held = first;
    try {
      return [descriptor, this.descriptor(second)];
    } finally {
      this.#held = undefined;
    }
  }

  close(): void {
    for (const descriptor of [...this.#open.values(), this.#root]) this.#native.close(descriptor);
    this.#open.clear();
  }

  #openChild(parent: number, name: string, path: string): number {
    try {
      return this.#native.open(parent, name, folderFlags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw linkInTheWay(path);
    }
  }

  #keep(path: string, descriptor: number): void {
    if (this.#open.size >= keptOpen) this.#closeOldest();
    this.#open.set(path, descriptor);
  }

  #closeOldest(): void {
    for (const [path, descriptor] of this.#open) {
      if (path === this.#held) continue;
      this.#open.delete(path);
      this.#native.close(descriptor);
      return;
    }
  }
}

export function linkInTheWay(path: string): TidemarkError {
  return new TidemarkError('TARGET_UNSAFE', `${path} in the restore target is a symbolic link or no folder`, {
    hint: 'Remove it when it should be a folder, or restore into an empty folder.',
  });
}
