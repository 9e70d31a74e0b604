import { posix } from 'node:path';
import type { Store } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import { toHex } from './format/blob-id.ts';
import { type FinishedPack, smallestHeaderEntry } from './format/pack.ts';
import { release } from './format/release.ts';
import { blobsPerIndex, writeIndex } from './index-files.ts';
import { listPacks } from './list-packs.ts';
import type { SealedObjects } from './objects.ts';
import { packFolder, packName } from './pack-name.ts';

/**
 * A backup that dies leaves what an index names to the next one. So an index is written for this many packs (half a
 * GiB), in a large backup for a sixteenth of what it stored so far: few index files, and little to do again.
 */
const packsPerIndex = 32;
const indexedShare = 1 / 16;
/** More folders than this are listed all at once: a listing may cost a request. */
const listedAlone = 32;

/**
 * Puts packs into the store and, behind them, the index files that name them. Order matters: a pack is durable before
 * an index names it, and all indexes are durable before a snapshot needs them.
 */
export class PackUploads {
  readonly #store: Store;
  readonly #objects: SealedObjects;
  readonly #signal: AbortSignal;
  readonly #holder: string;
  readonly #running = new Set<Promise<void>>();
  #unindexed: Pick<FinishedPack, 'id' | 'header'>[] = [];
  #unindexedBytes = 0;
  /** Their sizes in bytes, by their ids in hex. */
  readonly #stored = new Map<string, number>();
  #failure: { error: unknown } | undefined;
  #addedBytes = 0;

  /** `holder`: of the lock under which this goes on; it stands in the index files as long as they live. */
  constructor(store: Store, objects: SealedObjects, signal: AbortSignal, holder: string) {
    this.#holder = holder;
    this.#store = store;
    this.#objects = objects;
    this.#signal = signal;
  }

  /** Bytes of the packs stored so far. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  /** Starts storing; resolves when the pack is durable. The first failure also rejects `finish`. */
  async add(pack: FinishedPack): Promise<void> {
    const upload = this.#upload(pack);
    this.#running.add(upload);
    try {
      await upload;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    } finally {
      this.#running.delete(upload);
    }
  }

  /**
   * Resolves when all packs and their indexes are durable. Rejects when any of them could not be stored, and with
   * REPOSITORY_CORRUPT when one is not there any more as it was stored: whatever took it, nothing may rely on it.
   */
  async finish(): Promise<void> {
    await Promise.allSettled(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#rejectLost();
    await this.#writeIndex();
  }

  /** By listings of the folders that packs went to: most of a large repository is not looked at for a small backup. */
  async #rejectLost(): Promise<void> {
    const lost = new Map(this.#stored);
    const folders = new Set([...lost.keys()].map((id) => `${posix.dirname(packName(id))}/`));
    for (const folder of folders.size > listedAlone ? [packFolder] : folders) {
      for await (const { id, sizeBytes } of listPacks(this.#store, this.#signal, undefined, folder)) {
        if (lost.get(id) === sizeBytes) lost.delete(id);
      }
    }
    const [first] = lost.keys();
    if (first !== undefined) throw lostMeanwhile(first, lost.size);
  }

  async #upload(pack: FinishedPack): Promise<void> {
    const name = toHex(pack.id);
    await this.#store.put(packName(name), new Uint8Array(pack.buffer, 0, pack.sizeBytes), {
      signal: this.#signal,
    });
    release(pack.buffer);
    this.#addedBytes += pack.sizeBytes;
    this.#unindexed.push({ id: pack.id, header: pack.header });
    this.#unindexedBytes += pack.header.length;
    this.#stored.set(name, pack.sizeBytes);
    if (this.#indexIsDue()) await this.#writeIndex();
  }

  #indexIsDue(): boolean {
    if (this.#unindexedBytes >= blobsPerIndex * smallestHeaderEntry) return true;
    return this.#unindexed.length >= Math.max(packsPerIndex, this.#stored.size * indexedShare);
  }

  async #writeIndex(): Promise<void> {
    const packs = this.#unindexed;
    this.#unindexed = [];
    this.#unindexedBytes = 0;
    if (packs.length > 0) await writeIndex(this.#objects, packs, this.#signal, this.#holder);
  }
}

function lostMeanwhile(first: string, count: number): TidemarkError {
  const which = count === 1 ? packName(first) : `${packName(first)} and ${count - 1} more`;
  return new TidemarkError('REPOSITORY_CORRUPT', `what was just stored is gone or has another size: ${which}`, {
    hint: 'Nothing relies on it: the work counts as not done. Find out who else writes to the destination, or what is wrong with its disk; `tidemark repository check` says what else it has lost.',
  });
}
