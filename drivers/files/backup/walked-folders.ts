import { joinPath } from './node-reader.ts';
import { type FolderStamp, stampFields } from './scan-task.ts';
import type { SourcePath } from './source-paths.ts';

export interface WalkedFolder {
  readonly path: string;
  readonly source: SourcePath;
  /** True when an `include` pattern matched this folder or one above it. */
  readonly included: boolean;
}

const none = -1;

/**
 * The folders that were listed, and what each was like just before; in few bytes, as there may be millions. Numbers count
 * from 0; parents come before children.
 */
export class WalkedFolders {
  readonly #names: string[] = [];
  readonly #parents: number[] = [];
  readonly #sources: SourcePath[] = [];
  readonly #included: boolean[] = [];
  #stamps = new BigInt64Array(1024 * stampFields);

  get count(): number {
    return this.#names.length;
  }

  /** `name` is the path where there is no parent. */
  add(folder: Omit<WalkedFolder, 'path'> & { readonly name: string; readonly parent?: number }, stamp: FolderStamp) {
    const at = this.#names.push(folder.name) - 1;
    this.#parents.push(folder.parent ?? none);
    this.#sources.push(folder.source);
    this.#included.push(folder.included);
    if (at * stampFields === this.#stamps.length) this.#grow();
    this.#stamps.set(stamp, at * stampFields);
    return at;
  }

  get(at: number): WalkedFolder {
    return { path: this.path(at), included: this.#included[at]!, source: this.#sources[at]! };
  }

  stamp(at: number): FolderStamp {
    return this.#stamps.subarray(at * stampFields, (at + 1) * stampFields);
  }

  path(at: number): string {
    const parent = this.#parents[at]!;
    return parent === none ? this.#names[at]! : joinPath(this.path(parent), this.#names[at]!);
  }

  /** Undefined for a path of the source. */
  parent(at: number): number | undefined {
    const parent = this.#parents[at]!;
    return parent === none ? undefined : parent;
  }

  /** Of these folders, the paths of the sub folders that were listed. */
  pathsIn(folders: ReadonlySet<number>): Set<string> {
    const paths = new Set<string>();
    for (const [at, parent] of this.#parents.entries()) if (folders.has(parent)) paths.add(this.path(at));
    return paths;
  }

  #grow(): void {
    const larger = new BigInt64Array(this.#stamps.length * 2);
    larger.set(this.#stamps);
    this.#stamps = larger;
  }
}
