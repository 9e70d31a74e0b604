import type { SealedTree } from '../driver/index.ts';
import { hasCode, type TidemarkError } from '../error.ts';
import type { BlobFetcher } from './blob-fetcher.ts';
import type { BlobLocation } from './blob-index.ts';
import { toHex } from './format/blob-id.ts';
import { damagedBlob, ifCorrupt, unindexedBlob } from './format/damage.ts';
import { openBlob } from './format/pack.ts';
import type { Sealer } from './format/sealer.ts';

/** Trees are read near each other: a window of a pack is kept, so that one request brings many of them. */
const windowBytes = 1024 * 1024;
const maxWindows = 16;
/** A window reaches into the next one, so that a tree across their border needs no request of its own. */
const overlapBytes = 64 * 1024;

interface Window {
  readonly pack: string;
  readonly offset: number;
  /** As far as the pack goes; undefined when it is missing. */
  readonly bytes: Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly length: number;
}

/** Reads tree blobs, with the last windows of packs kept in memory (16 MiB at most, but for larger trees). */
export class TreeCache {
  readonly #fetcher: BlobFetcher;
  readonly #sealer: Sealer;
  readonly #signal: AbortSignal;
  #windows: Window[] = [];

  constructor(fetcher: BlobFetcher, sealer: Sealer, signal: AbortSignal) {
    this.#fetcher = fetcher;
    this.#sealer = sealer;
    this.#signal = signal;
  }

  /** The plain tree blob, from the first place where it is whole. Throws REPOSITORY_CORRUPT. */
  async get(id: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    let damage: TidemarkError | undefined;
    for await (const place of this.#fetcher.placesFrom('tree', id)) {
      try {
        return await this.#open(place);
      } catch (error) {
        damage ??= ifCorrupt(error, (corrupt) => corrupt);
      }
    }
    throw damage;
  }

  /** As it lies in the first place where it should be. Throws REPOSITORY_CORRUPT when it is not there. */
  async sealed(id: Uint8Array): Promise<SealedTree> {
    const blob = this.#fetcher.find('tree', id);
    if (blob === undefined) throw unindexedBlob('tree', id);
    const sealed = await this.#sealed(blob);
    return { id, pack: new Uint8Array(blob.pack), plainBytes: blob.plainBytes, sealed: sealed.slice() };
  }

  async #open(blob: BlobLocation): Promise<Uint8Array<ArrayBuffer>> {
    const { buffer, byteOffset, length } = openBlob(this.#sealer, blob, await this.#sealed(blob));
    return new Uint8Array(buffer, byteOffset, length);
  }

  async #sealed(blob: BlobLocation): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, at } = await this.#around(blob);
    if (bytes === undefined) throw damagedBlob(blob.id, blob.pack, 'missing');
    if (bytes.length < at + blob.length) throw damagedBlob(blob.id, blob.pack, 'cut short');
    return bytes.subarray(at, at + blob.length);
  }

  /** A window, or the blob alone where something else in the window cannot be read. */
  async #around(blob: BlobLocation): Promise<{ bytes: Uint8Array<ArrayBuffer> | undefined; at: number }> {
    const window = this.#windowAround(blob);
    try {
      return { bytes: await window.bytes, at: blob.offset - window.offset };
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      return { bytes: await this.#fetcher.bytes(blob.pack, blob.offset, blob.length, this.#signal), at: 0 };
    }
  }

  /** Windows begin at multiples of their size: what lies before a blob is wanted as often as what lies behind it. */
  #windowAround({ pack, offset, length }: BlobLocation): Window {
    const packId = toHex(pack);
    const known = this.#windows.find((one) => covers(one, packId, offset, length));
    if (known !== undefined) return known;
    const start = offset - (offset % windowBytes);
    const least = offset + length - start;
    const most = Math.max(least, windowBytes + overlapBytes);
    const bytes = this.#fetcher.bytes(pack, start, most, this.#signal);
    const window = { pack: packId, offset: start, length: most, bytes };
    bytes.catch(() => this.#forget(window));
    this.#windows = [window, ...this.#windows].slice(0, maxWindows);
    return window;
  }

  #forget(window: Window): void {
    this.#windows = this.#windows.filter((one) => one !== window);
  }
}

function covers(window: Window, pack: string, offset: number, length: number): boolean {
  return window.pack === pack && window.offset <= offset && offset + length <= window.offset + window.length;
}
