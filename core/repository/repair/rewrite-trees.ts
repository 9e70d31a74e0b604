import { hasCode } from '../../error.ts';
import type { BlobReading } from '../blob-reading.ts';
import { fromHex } from '../format/blob-id.ts';
import { unquoteName } from '../format/go-text.ts';
import { readsOtherwise } from './fingerprint.ts';
import { encodeRawNodes, type RawNode, rawNodes, sizeOf } from './tree-document.ts';

/** Stores a tree that the repository may have already; gives its id in hex. */
export type StoreTree = (bytes: Buffer) => Promise<string>;

export interface Rewritten {
  /** In hex; undefined when nothing of the tree is left. */
  readonly tree: string | undefined;
  /** What is left out. */
  readonly lost: readonly string[];
  /** What is left, but for folders, and the bytes of its files. */
  readonly totals: TreeTotals;
}

export interface TreeTotals {
  readonly items: number;
  readonly bytes: number;
}

type Sum = { -readonly [Field in keyof TreeTotals]: number };

const nothingLeft: Rewritten = { tree: undefined, lost: [''], totals: { items: 0, bytes: 0 } };

/**
 * Makes trees without what cannot be had: a file that lacks any of its blobs, a folder that cannot be read. A part of a
 * file under its own name would pass for the file. What is whole keeps its tree, and its id.
 */
export class TreeRewriting {
  readonly #blobs: BlobReading;
  readonly #hasData: (id: Uint8Array) => boolean;
  readonly #store: StoreTree;
  readonly #done = new Map<string, Rewritten>();
  /** Of trees that were written here: they cannot be read yet. */
  readonly #written = new Map<string, readonly RawNode[]>();

  constructor(blobs: BlobReading, hasData: (id: Uint8Array) => boolean, store: StoreTree) {
    this.#blobs = blobs;
    this.#hasData = hasData;
    this.#store = store;
  }

  /** Lost paths begin at the tree, without a slash before them. */
  async rewrite(tree: string): Promise<Rewritten> {
    const known = this.#done.get(tree);
    if (known !== undefined) return known;
    const done = await this.#rewrite(tree);
    this.#done.set(tree, done);
    return done;
  }

  async #rewrite(tree: string): Promise<Rewritten> {
    const nodes = await this.nodes(tree);
    if (nodes === undefined) return nothingLeft;
    const kept: RawNode[] = [];
    const lost: string[] = [];
    const totals = { items: 0, bytes: 0 };
    for (const node of nodes) {
      const name = unquoteName(node.name);
      const changed =
        node.type === 'dir' ? await this.#folder(node, name, lost, totals) : this.#file(node, name, lost, totals);
      if (changed !== undefined) kept.push(changed);
    }
    return lost.length === 0 ? { tree, lost, totals } : { tree: await this.put(kept), lost, totals };
  }

  async put(nodes: readonly RawNode[]): Promise<string> {
    const tree = await this.#store(encodeRawNodes(nodes));
    this.#written.set(tree, nodes);
    return tree;
  }

  /** What is left in a folder of a tree that was rewritten; nothing where there is no such folder. */
  async totalsIn(tree: string, name: string): Promise<TreeTotals> {
    const folder = (await this.nodes(tree))?.find((node) => node.name === name);
    return folder?.subtree == null ? nothingLeft.totals : (await this.rewrite(folder.subtree)).totals;
  }

  /** Undefined when they cannot be had. Throws CHANGE_STALE for a tree that the index names: it names what opened. */
  async nodes(tree: string): Promise<readonly RawNode[] | undefined> {
    const written = this.#written.get(tree);
    if (written !== undefined) return written;
    try {
      return rawNodes(await this.#blobs.encodedTree(tree));
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      if (this.#blobs.has('tree', fromHex(tree))) throw readsOtherwise(`tree ${tree} does not open`);
      return undefined;
    }
  }

  #file(node: RawNode, name: string, lost: string[], totals: Sum): RawNode | undefined {
    if ((node.content ?? []).every((id) => this.#hasData(fromHex(id)))) {
      totals.items += 1;
      totals.bytes += sizeOf(node);
      return node;
    }
    lost.push(name);
    return undefined;
  }

  async #folder(node: RawNode, name: string, lost: string[], totals: Sum): Promise<RawNode | undefined> {
    const below = node.subtree == null ? nothingLeft : await this.rewrite(node.subtree);
    totals.items += below.totals.items;
    totals.bytes += below.totals.bytes;
    lost.push(...below.lost.map((path) => `${name}/${path}`));
    return below.tree === undefined ? undefined : { ...node, subtree: below.tree };
  }
}
