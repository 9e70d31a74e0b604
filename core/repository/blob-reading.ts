import type { Content, Node, SealedTree } from '../driver/index.ts';
import { BlobFetcher } from './blob-fetcher.ts';
import type { BlobIndex } from './blob-index.ts';
import { fromHex, idBytes } from './format/blob-id.ts';
import type { BlobType } from './format/pack.ts';
import { Sealer } from './format/sealer.ts';
import { decodeNodes } from './format/tree.ts';
import type { RepositoryParts } from './parts.ts';
import { openRun } from './threads/open-run.ts';

import { TreeCache } from './tree-cache.ts';

/** Reads trees and contents in the thread that calls. */
export class BlobReading {
  readonly fetcher: BlobFetcher;
  readonly #sealer: Sealer;
  readonly #trees: TreeCache;
  readonly #signal: AbortSignal;

  constructor(parts: RepositoryParts, signal: AbortSignal, findLost?: () => Promise<BlobIndex>) {
    this.fetcher = new BlobFetcher(parts.store, parts.index, findLost);
    this.#sealer = new Sealer(parts.key);
    this.#trees = new TreeCache(this.fetcher, this.#sealer, signal);
    this.#signal = signal;
  }

  /** Whether the index names it. */
  has(type: BlobType, id: Uint8Array): boolean {
    return this.fetcher.find(type, id) !== undefined;
  }

  async tree(id: string): Promise<readonly Node[]> {
    return decodeNodes(await this.encodedTree(id));
  }

  encodedTree(id: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#trees.get(fromHex(id));
  }

  sealedTree(id: string): Promise<SealedTree> {
    return this.#trees.sealed(fromHex(id));
  }

  async *read(content: Content): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.blobs.length; ) {
      const run = await this.fetcher.run('data', content.blobs.subarray(at), this.#signal);
      const end = at + run.blobs.length * idBytes;
      yield* openRun(this.#sealer, run, content.blobs.subarray(at, end), (id, place) =>
        this.fetcher.run('data', id, this.#signal, place),
      );
      at = end;
    }
  }
}
