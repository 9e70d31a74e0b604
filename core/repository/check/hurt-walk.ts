import { hasCode } from '../../error.ts';
import type { BlobReading } from '../blob-reading.ts';
import { fromHex } from '../format/blob-id.ts';
import { unquoteName } from '../format/go-text.ts';
import { IdTable } from '../id-table.ts';
import type { Lost, Whereabouts } from './whereabouts.ts';

/** Something of a backup that cannot be had whole. */
export interface HurtEntry {
  /** From the root of the backup: `/srv/www/a.html`; a folder ends in `/`. */
  readonly path: string;
  /** Why: see `Whereabouts`; or that a folder's tree is there and is no tree. */
  readonly cause: Lost | 'malformed';
}

/** What the walk needs of a node. */
interface TreeNode {
  readonly name: string;
  readonly type: string;
  readonly content?: readonly string[] | null;
  readonly subtree?: string | null;
}

const hurt = 2;
const whole = 1;

/** Walks trees, each once however many backups share it; remembers a byte of each, and 72 for its id. */
export class HurtWalk {
  readonly #blobs: BlobReading;
  readonly #whereabouts: Whereabouts;
  readonly #signal: AbortSignal;
  readonly #ids = new IdTable();
  #states = new Uint8Array(1024);

  constructor(blobs: BlobReading, whereabouts: Whereabouts, signal: AbortSignal) {
    this.#blobs = blobs;
    this.#whereabouts = whereabouts;
    this.#signal = signal;
  }

  /** Whether anything in this tree or below it cannot be had. Throws what is not damage: a store that is away. */
  async isHurt(tree: string): Promise<boolean> {
    const number = this.#number(tree);
    if (this.#states[number] === 0) {
      const state = (await this.#look(tree)) ? hurt : whole;
      this.#states[number] = state; // only now: looking may have put a larger array in the place of the old one
    }
    return this.#states[number] === hurt;
  }

  /** What cannot be had in and below a tree of which `isHurt` was asked. */
  async *hurtIn(tree: string, path = '/'): AsyncGenerator<HurtEntry> {
    const nodes = await this.#nodes(tree);
    if (!Array.isArray(nodes)) {
      yield { path, cause: nodes as HurtEntry['cause'] };
      return;
    }
    for (const node of nodes as TreeNode[]) {
      const below = `${path}${unquoteName(node.name)}`;
      const cause = node.type === 'dir' ? undefined : this.#lostOf(node);
      if (cause !== undefined) yield { path: below, cause };
      else if (node.type === 'dir' && node.subtree == null) yield { path: `${below}/`, cause: 'malformed' };
      else if (node.type === 'dir' && (await this.isHurt(node.subtree!)))
        yield* this.hurtIn(node.subtree!, `${below}/`);
    }
  }

  async #look(tree: string): Promise<boolean> {
    const nodes = await this.#nodes(tree);
    if (!Array.isArray(nodes)) return true;
    let isHurt = false;
    for (const node of nodes as TreeNode[]) {
      if (node.type === 'dir') isHurt = node.subtree == null || (await this.isHurt(node.subtree)) || isHurt;
      else isHurt = this.#lostOf(node) !== undefined || isHurt;
    }
    return isHurt;
  }

  #lostOf({ content }: TreeNode): Lost | undefined {
    for (const id of content ?? []) {
      const lost = this.#whereabouts.lost('data', fromHex(id));
      if (lost !== undefined) return lost;
    }
    return undefined;
  }

  /** The nodes of a tree, or why they cannot be had. */
  async #nodes(tree: string): Promise<readonly TreeNode[] | HurtEntry['cause']> {
    this.#signal.throwIfAborted();
    const lost = this.#whereabouts.lost('tree', fromHex(tree));
    return (
      lost ??
      parseNodes((await this.#encoded(tree)) ?? noBytes) ??
      this.#whereabouts.lost('tree', fromHex(tree)) ??
      'malformed'
    );
  }

  async #encoded(tree: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#blobs.encodedTree(tree);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      this.#blame(tree);
      return undefined;
    }
  }

  /** By all that was known it could be had, and could not be read: now that is known of all its places. */
  #blame(tree: string): void {
    for (const place of this.#whereabouts.index.findAll('tree', fromHex(tree))) {
      this.#whereabouts.markBad(this.#whereabouts.packs.find(place.pack)!, place);
    }
  }

  #number(tree: string): number {
    const number = this.#ids.add(fromHex(tree));
    if (number >= this.#states.length) {
      const states = new Uint8Array(this.#states.length * 2);
      states.set(this.#states);
      this.#states = states;
    }
    return number;
  }
}

const noBytes = new Uint8Array(0);

/** Undefined where it is no tree. */
function parseNodes(encoded: Uint8Array): readonly TreeNode[] | undefined {
  try {
    const { nodes } = JSON.parse(Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('utf8'));
    return nodes === null ? [] : Array.isArray(nodes) ? nodes : undefined;
  } catch {
    return undefined;
  }
}
