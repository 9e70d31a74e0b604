import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { BlobIndex, BlobLocation } from './blob-index.ts';
import { idBytes, toHex } from './format/blob-id.ts';
import { damagedBlob, ifCorrupt, unindexedBlob } from './format/damage.ts';
import type { BlobType } from './format/pack.ts';
import { packName } from './pack-name.ts';
import type { ReusedMemory } from './reused-memory.ts';

/** Blobs that lie one behind the other in a pack, still sealed. */
export interface BlobRun {
  readonly pack: Uint8Array;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** In order: how long each is in `sealed`, and its plain length when it is compressed. */
  readonly blobs: readonly { readonly length: number; readonly plainBytes: number | undefined }[];
}

/** One request brings at most about this much. */
const maxRunBytes = 8 * 1024 * 1024;

/** Finds blobs and reads them from the store, neighbours in one request. */
export class BlobFetcher {
  readonly #store: Store;
  readonly #index: BlobIndex;
  readonly #findLost: (() => Promise<BlobIndex>) | undefined;
  #searching: Promise<void> | undefined;
  #found: BlobIndex | undefined;

  /** `findLost` looks for blobs that the index does not have; it is asked once, when the first is missing. */
  constructor(store: Store, index: BlobIndex, findLost?: () => Promise<BlobIndex>) {
    this.#store = store;
    this.#index = index;
    this.#findLost = findLost;
  }

  find(type: BlobType, id: Uint8Array): BlobLocation | undefined {
    return this.#index.find(type, id) ?? this.#found?.find(type, id);
  }

  /** Every place where a blob should be, the one of `find` first. */
  places(type: BlobType, id: Uint8Array): readonly BlobLocation[] {
    return [...this.#index.findAll(type, id), ...(this.#found?.findAll(type, id) ?? [])];
  }

  /** After this, `find` knows what can be found beyond the index. May be called often. */
  async searchLost(): Promise<void> {
    this.#searching ??= this.#findLost?.().then((found) => {
      this.#found = found;
    });
    await this.#searching;
  }

  /**
   * Like `places`, from this one on; when those of the index are used up, looks beyond it. Throws REPOSITORY_CORRUPT when
   * the blob is nowhere.
   */
  async *placesFrom(type: BlobType, id: Uint8Array, place = 0): AsyncGenerator<BlobLocation> {
    const known = this.places(type, id);
    yield* known.slice(place);
    await this.searchLost();
    const all = this.places(type, id);
    if (all.length === 0) throw unindexedBlob(type, id);
    yield* all.slice(Math.max(place, known.length));
  }

  /**
   * The first of these blobs (ids one after the other) and those after it that lie right behind it. `place`: how many
   * places of the first blob are no good, as the caller found; then it comes alone. Throws REPOSITORY_CORRUPT, which
   * names the blob and its pack, when no other place has it.
   */
  async run(type: BlobType, ids: Uint8Array, signal?: AbortSignal, place = 0): Promise<BlobRun> {
    const id = ids.subarray(0, idBytes);
    let damage: TidemarkError | undefined;
    for await (const first of this.placesFrom(type, id, place)) {
      try {
        return await this.#runFrom(first, place === 0 ? ids : id, signal);
      } catch (error) {
        damage ??= ifCorrupt(error, (corrupt) => corrupt);
      }
    }
    throw damage ?? damagedBlob(id, this.places(type, id).at(-1)!.pack, 'damaged');
  }

  /** Bytes of a pack as far as it goes; undefined when it is missing. Throws REPOSITORY_CORRUPT when the disk refuses some. */
  bytes(
    pack: Uint8Array,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return unlessMissing(this.#store.get(packName(toHex(pack)), { offset, length }, signal));
  }

  /** As `bytes`, in this room. */
  bytesIn(
    room: ReusedMemory,
    pack: Uint8Array,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return unlessMissing(room.get(this.#store, packName(toHex(pack)), { offset, length }, signal));
  }

  async #runFrom(first: BlobLocation, ids: Uint8Array, signal?: AbortSignal): Promise<BlobRun> {
    const blobs = this.#neighbours(first, ids);
    const wantedBytes = blobs.reduce((sum, { length }) => sum + length, 0);
    const sealed = await this.bytes(first.pack, first.offset, wantedBytes, signal).catch((error) =>
      ifCorrupt(error, (damage) => damage),
    );
    if (sealed instanceof TidemarkError) {
      if (blobs.length > 1) return this.#runFrom(first, first.id, signal); // the bad sector may be another's
      throw damagedBlob(first.id, first.pack, 'damaged', sealed);
    }
    if (sealed === undefined) throw damagedBlob(first.id, first.pack, 'missing');
    let end = 0;
    const there = blobs.filter(({ length }) => {
      end += length;
      return end <= sealed.length;
    });
    if (there.length === 0) throw damagedBlob(first.id, first.pack, 'cut short');
    return {
      pack: new Uint8Array(first.pack),
      sealed,
      blobs: there.map(({ length, plainBytes }) => ({ length, plainBytes })),
    };
  }

  #neighbours(first: BlobLocation, ids: Uint8Array): BlobLocation[] {
    const blobs = [first];
    let lengthBytes = first.length;
    for (let at = idBytes; at < ids.length; at += idBytes) {
      const next = this.find(first.type, ids.subarray(at, at + idBytes));
      const adjacent = next && samePack(next, first) && next.offset === first.offset + lengthBytes;
      if (!adjacent || lengthBytes + next.length > maxRunBytes) break;
      blobs.push(next);
      lengthBytes += next.length;
    }
    return blobs;
  }
}

async function unlessMissing<Bytes>(bytes: Promise<Bytes>): Promise<Bytes | undefined> {
  try {
    return await bytes;
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
}

function samePack(a: BlobLocation, b: BlobLocation): boolean {
  return Buffer.compare(a.pack, b.pack) === 0;
}
