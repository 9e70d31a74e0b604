import { BlobIndex } from '../blob-index.ts';
import { extendIndex } from '../index-files.ts';
import { Numbers } from '../numbers.ts';
import type { SealedObjects } from '../objects.ts';

/** The index, and which of its files name which pack: eight bytes for each time. It can grow by files that come later. */
export class IndexView {
  readonly index = new BlobIndex();
  readonly #objects: SealedObjects;
  readonly #read = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #files: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** By number of the file: the lock under which a backup of ours wrote it. */
  readonly #holders: (string | undefined)[] = [];
  /** Pack, file, pack, file, and so on. */
  readonly #named = new Numbers();

  constructor(objects: SealedObjects) {
    this.#objects = objects;
  }

  /** Ids of the index files that were read. */
  get files(): ReadonlySet<string> {
    return this.#read;
  }

  /** Reads the index files that came since. Throws REPOSITORY_CORRUPT for one that is damaged. */
  async extend(signal: AbortSignal): Promise<void> {
    await extendIndex(this.index, this.#objects, signal, {
      known: this.#read,
      onPack: (pack, file, holder) => this.#named.push(pack, this.#fileNumber(file, holder)),
    });
  }

  /** After these files were deleted. */
  forget(files: readonly string[]): void {
    for (const id of files) this.#gone.add(id);
  }

  /** The files that name any of the packs for which `has` says yes. */
  filesNaming(has: (pack: number) => boolean): Set<string> {
    const found = new Set<string>();
    this.#each((pack, file) => {
      if (has(pack)) found.add(this.#files[file]!);
    });
    return found.difference(this.#gone);
  }

  /** The packs that backups under one of these locks have written. */
  packsBy(holders: ReadonlySet<string>, tell: (pack: number) => void): void {
    this.#each((pack, file) => {
      if (holders.has(this.#holders[file] ?? '')) tell(pack);
    });
  }

  /** The files that backups under one of these locks have written. */
  filesBy(holders: ReadonlySet<string>): Set<string> {
    return new Set(this.#files.filter((_, file) => holders.has(this.#holders[file] ?? '')));
  }

  #each(tell: (pack: number, file: number) => void): void {
    const named = this.#named.values();
    for (let at = 0; at < named.length; at += 2) tell(named[at]!, named[at + 1]!);
  }

  #fileNumber(id: string, holder: string | undefined): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#files.push(id) - 1;
    this.#numbers.set(id, number);
    this.#holders[number] = holder;
    return number;
  }
}
