import { hasCode } from '../../error.ts';
import { encodeName } from '../../path-bytes.ts';
import { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { blobKey } from '../blob-index.ts';
import { BlobReading } from '../blob-reading.ts';
import { fromHex, idBytes, toHex } from '../format/blob-id.ts';
import { ifCorrupt } from '../format/damage.ts';
import type { BlobType } from '../format/pack.ts';
import { Numbers } from '../numbers.ts';
import type { RepositoryParts } from '../parts.ts';
import { TreeBatches } from './tree-batches.ts';
import { TreeRefs } from './tree-refs.ts';

/** Something in a backup that cannot be had, or not all of it. `path` has `/` between names and begins with one. */
export interface HurtPath {
  readonly path: string;
  /** `tree`: a folder with all that is below it. */
  readonly type: BlobType;
  /** The blobs that it lacks, in hex. */
  readonly ids: readonly string[];
}

/**
 * Which backups lack something, and what. Reads every tree of a walk once more, so it is for a repository of which it is
 * known that it is damaged. Memory: eight bytes for each time a tree names another.
 */
export class Hurt {
  readonly #parts: RepositoryParts;
  readonly #damaged: Bits;
  readonly #hurt = new Bits();
  readonly #blobs: BlobReading;

  private constructor(parts: RepositoryParts, damaged: Bits, signal: AbortSignal) {
    this.#parts = parts;
    this.#damaged = damaged;
    this.#blobs = new BlobReading(parts, signal);
  }

  /** `used` as a walk left it; `damaged`: places (the first of a blob) of blobs that are whole in no pack. */
  static async find(parts: RepositoryParts, used: Bits, damaged: Bits, signal: AbortSignal): Promise<Hurt> {
    const hurt = new Hurt(parts, damaged, signal);
    await hurt.#spread(used, signal);
    return hurt;
  }

  /** Whether the tree of a snapshot, or anything below it, is hurt. */
  has(tree: string): boolean {
    return this.#hasKey(blobKey('tree', fromHex(tree)));
  }

  /** All that is hurt below a tree. A tree that a backup has in many places is told of for each. */
  async *paths(tree: string, prefix = ''): AsyncGenerator<HurtPath> {
    if (!this.has(tree)) return;
    const nodes = await this.#nodes(tree);
    if (nodes === undefined) {
      yield { path: prefix || '/', type: 'tree', ids: [tree] };
      return;
    }
    for (const { name, content, subtree } of nodes) {
      const path = `${prefix}/${encodeName(name).toString('utf8')}`;
      const ids = content === undefined ? [] : this.#lostOf(content.blobs);
      if (ids.length > 0) yield { path, type: 'data', ids };
      if (subtree !== undefined) yield* this.paths(subtree, path);
    }
  }

  async #nodes(tree: string) {
    try {
      return await this.#blobs.tree(tree);
    } catch (error) {
      return ifCorrupt(error, () => undefined);
    }
  }

  #lostOf(blobs: Uint8Array): string[] {
    const lost = new Set<string>();
    for (let at = 0; at < blobs.length; at += idBytes) {
      const id = blobs.subarray(at, at + idBytes);
      if (this.#isLost(id)) lost.add(toHex(id));
    }
    return [...lost];
  }

  #isLost(key: Uint8Array): boolean {
    const place = this.#parts.index.placeOf(key);
    return place === undefined || this.#damaged.has(place);
  }

  #hasKey(key: Uint8Array): boolean {
    const place = this.#parts.index.placeOf(key);
    return place === undefined || this.#hurt.has(place);
  }

  /** Marks the trees that name something lost, then, as long as there are more, those that name a marked one. */
  async #spread(used: Bits, signal: AbortSignal): Promise<void> {
    const edges = await this.#edges(used, signal);
    for (let more = true; more; ) {
      more = false;
      for (let at = 0; at < edges.length; at += 2) {
        if (this.#hurt.has(edges[at + 1]!) && this.#hurt.set(edges[at]!)) more = true;
      }
    }
  }

  /** Place of a tree, place of a tree that it names, and so on. */
  async #edges(used: Bits, signal: AbortSignal): Promise<Uint32Array> {
    const { index } = this.#parts;
    const edges = new Numbers();
    const refs = new TreeRefs();
    await new TreeBatches(this.#parts, signal).read(treesOf(index, used), (place, tree) => {
      if (!(tree instanceof Uint8Array) || !canRead(refs, tree)) {
        this.#hurt.set(place);
        return;
      }
      if (this.#namesLost(refs)) this.#hurt.set(place);
      for (let at = 0; at < refs.subtrees.count; at++) {
        const named = index.placeOf(blobKey('tree', refs.subtrees.at(at)));
        if (named === undefined) this.#hurt.set(place);
        else edges.push(place, named);
      }
    });
    return edges.values();
  }

  #namesLost({ contents }: TreeRefs): boolean {
    for (let at = 0; at < contents.count; at++) if (this.#isLost(contents.at(at))) return true;
    return false;
  }
}

function canRead(refs: TreeRefs, tree: Uint8Array): boolean {
  try {
    refs.read(tree);
    return true;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return false;
  }
}

function treesOf(index: BlobIndex, used: Bits): Uint32Array {
  const trees = new Numbers();
  for (let place = 0; place < index.count; place++) if (used.has(place) && index.isTree(place)) trees.push(place);
  return trees.values();
}
