import type { BlobFetcher } from './blob-fetcher.ts';
import type { BlobLocation } from './blob-index.ts';
import { toHex } from './format/blob-id.ts';
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
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
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

  /** The plain tree blob. Throws REPOSITORY_CORRUPT. */
  async get(id: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const blob = this.#fetcher.locate('tree', id);
    const window = this.#windowAround(blob);
    const at = blob.offset - window.offset;
    const plain = openBlob(this.#sealer, blob, (await window.bytes).subarray(at, at + blob.length));
    return new Uint8Array(plain);
  }

  /** Windows begin at multiples of their size: what lies before a blob is wanted as often as what lies behind it. */
  #windowAround({ pack, offset, length }: BlobLocation): Window {
    const packId = toHex(pack);
    const known = this.#windows.find((one) => covers(one, packId, offset, length));
    if (known !== undefined) return known;
    const start = offset - (offset % windowBytes);
    const least = offset + length - start;
    const most = Math.max(least, windowBytes + overlapBytes);
    const bytes = this.#fetcher.rangeUpTo(pack, start, least, most, this.#signal);
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
