import type { TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import { blobKey } from '../blob-index.ts';
import { fromHex, idBytes, toHex } from '../format/blob-id.ts';
import { damagedTree, ifCorrupt, unindexedBlob } from '../format/damage.ts';
import type { BlobType } from '../format/pack.ts';
import { Numbers } from '../numbers.ts';
import type { RepositoryParts } from '../parts.ts';
import { TreeBatches } from './tree-batches.ts';
import { TreeRefs } from './tree-refs.ts';

/** A blob that is needed and cannot be had, or a tree that is not understood. */
export interface WalkDamage {
  readonly type: BlobType;
  readonly id: string;
  readonly error: TidemarkError;
  /** A tree that names it; undefined where that is not known, as for trees that do not open. */
  readonly namedBy: string | undefined;
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Gets what is damaged, a blob once for each tree that names it; without it the first throws. */
  readonly onDamage?: (damage: WalkDamage) => void;
  /** Gets each tree that was read, by its place, with what it names; that is gone when it returns. */
  readonly onTree?: (place: number, names: TreeRefs) => void;
}

/** So many trees are sorted by where they lie before they are read. */
const batchTrees = 16_384;

/**
 * Walks the trees of snapshots, each tree once however many snapshots have it, and marks every blob that they need.
 * Memory: some bits a blob of the index, four bytes a tree that waits, and the runs that are being read.
 *
 * Trees are read and verified; of data it is only looked whether the index has it. The index may grow between two calls
 * of `walk`.
 */
export class TreeWalk {
  /** Of the places of the index (`placeOf`: the first of a blob): those of blobs that are needed. */
  readonly used = new Bits();
  readonly #parts: RepositoryParts;
  readonly #options: WalkOptions;
  readonly #batches: TreeBatches;
  readonly #refs = new TreeRefs();
  readonly #treeKey = new Uint8Array(idBytes);
  #waiting = new Numbers();
  #treeCount = 0;

  constructor(parts: RepositoryParts, options: WalkOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#batches = new TreeBatches(parts, options.signal);
  }

  /** Different trees read so far. */
  get treeCount(): number {
    return this.#treeCount;
  }

  /** Walks below these trees (ids in hex). Throws REPOSITORY_CORRUPT when nobody takes the damage. */
  async walk(roots: readonly string[]): Promise<void> {
    for (const root of roots) this.#want(fromHex(root), undefined);
    while (this.#waiting.length > 0) {
      await this.#batches.read(this.#waiting.takeLast(batchTrees), (place, tree) => this.#visit(place, tree));
    }
  }

  #want(id: Uint8Array, namedBy: number | undefined): void {
    this.#treeKey.set(id);
    this.#treeKey[idBytes - 1]! ^= 0xff; // `blobKey` without a new array for each
    const place = this.#parts.index.placeOf(this.#treeKey);
    if (place === undefined) this.#damage('tree', id, unindexedBlob('tree', id), namedBy);
    else if (this.used.set(place)) this.#waiting.push(place);
  }

  #visit(place: number, tree: Uint8Array | TidemarkError): void {
    this.#treeCount += 1;
    const error = tree instanceof Uint8Array ? this.#read(place, tree) : tree;
    if (error !== undefined) {
      this.#damage('tree', this.#idAt(place), error, undefined);
      return;
    }
    this.#options.onTree?.(place, this.#refs);
    for (let at = 0; at < this.#refs.contents.count; at++) this.#use(this.#refs.contents.at(at), place);
    for (let at = 0; at < this.#refs.subtrees.count; at++) this.#want(this.#refs.subtrees.at(at), place);
  }

  #read(place: number, tree: Uint8Array): TidemarkError | undefined {
    try {
      this.#refs.read(tree);
      return undefined;
    } catch (error) {
      return ifCorrupt(error, (cause) => damagedTree(this.#idAt(place), cause));
    }
  }

  #use(id: Uint8Array, namedBy: number): void {
    const place = this.#parts.index.placeOf(id);
    if (place === undefined) this.#damage('data', id, unindexedBlob('data', id), namedBy);
    else this.used.set(place);
  }

  #idAt(place: number): Uint8Array {
    return blobKey('tree', this.#parts.index.keyAt(place));
  }

  #damage(type: BlobType, id: Uint8Array, error: TidemarkError, place: number | undefined): void {
    if (this.#options.onDamage === undefined) throw error;
    const namedBy = place === undefined ? undefined : toHex(this.#idAt(place));
    this.#options.onDamage({ type, id: toHex(id), error, namedBy });
  }
}
