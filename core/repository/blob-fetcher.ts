import type { Store } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import type { BlobIndex, BlobLocation } from './blob-index.ts';
import { idBytes, toHex } from './format/blob-id.ts';
import type { BlobType } from './format/pack.ts';

/** Blobs that lie one behind the other in a pack, still sealed. */
export interface BlobRun {
  readonly pack: Uint8Array;
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** In order: how long each is in `sealed`, and its plain length when it is compressed. */
  readonly blobs: readonly { readonly length: number; readonly plainBytes: number | undefined }[];
}

/** One request brings at most about this much. */
export const maxRunBytes = 8 * 1024 * 1024;

/** Finds blobs and reads them from the store, neighbours in one request. */
export class BlobFetcher {
  readonly #store: Store;
  readonly #index: BlobIndex;

  constructor(store: Store, index: BlobIndex) {
    this.#store = store;
    this.#index = index;
  }

  /** Throws REPOSITORY_CORRUPT when the index does not have the blob. */
  locate(type: BlobType, id: Uint8Array): BlobLocation {
    const location = this.#index.find(type, id);
    if (location !== undefined) return location;
    throw new TidemarkError('REPOSITORY_CORRUPT', `${type} blob ${toHex(id)} is in no index`, {
      hint: 'Run `restic check`. If packs are there but not indexed, `restic repair index` (or `rebuild-index`) finds them again.',
    });
  }

  /** The first of these blobs (ids one after the other) and those after it that lie right behind it. */
  async run(type: BlobType, ids: Uint8Array, signal?: AbortSignal): Promise<BlobRun> {
    const first = this.locate(type, ids.subarray(0, idBytes));
    const blobs: BlobLocation[] = [first];
    let lengthBytes = first.length;
    for (let at = idBytes; at < ids.length; at += idBytes) {
      const next = this.locate(type, ids.subarray(at, at + idBytes));
      const adjacent = samePack(next, first) && next.offset === first.offset + lengthBytes;
      if (!adjacent || lengthBytes + next.length > maxRunBytes) break;
      blobs.push(next);
      lengthBytes += next.length;
    }
    const sealed = await this.range(first.pack, first.offset, lengthBytes, signal);
    return {
      pack: new Uint8Array(first.pack),
      sealed,
      blobs: blobs.map(({ length, plainBytes }) => ({ length, plainBytes })),
    };
  }

  /** Bytes of a pack. Throws REPOSITORY_CORRUPT when the pack is missing or too short. */
  range(pack: Uint8Array, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return this.rangeUpTo(pack, offset, length, length, signal);
  }

  /** Like `range`, with up to `most` bytes, as far as the pack goes. */
  async rangeUpTo(
    pack: Uint8Array,
    offset: number,
    least: number,
    most: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const id = toHex(pack);
    const range = { offset, length: most };
    const bytes = await this.#store.get(`data/${id.slice(0, 2)}/${id}`, range, signal).catch((cause) => {
      throw cause instanceof TidemarkError && cause.code === 'OBJECT_NOT_FOUND'
        ? damagedPack(id, 'is missing', cause)
        : cause;
    });
    if (bytes.length < least) throw damagedPack(id, 'is cut short');
    return bytes;
  }
}

function samePack(a: BlobLocation, b: BlobLocation): boolean {
  return Buffer.compare(a.pack, b.pack) === 0;
}

function damagedPack(id: string, what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `pack ${id} ${what}`, {
    hint: 'Restore the file below `data/` from a copy of the repository, or restore another backup.',
    cause,
  });
}
