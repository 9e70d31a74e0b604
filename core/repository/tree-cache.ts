import type { BlobFetcher } from './blob-fetcher.ts';
import { toHex } from './format/blob-id.ts';
import { openBlob } from './format/pack.ts';
import type { Sealer } from './format/sealer.ts';

/** Trees are read near each other: a window of a pack is kept, so that one request brings many of them. */
const windowBytes = 1024 * 1024;
const maxWindows = 16;

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
    const window = this.#windowAround(toHex(blob.pack), blob.pack, blob.offset, blob.length);
    const at = blob.offset - window.offset;
    const plain = openBlob(this.#sealer, blob, (await window.bytes).subarray(at, at + blob.length));
    return new Uint8Array(plain);
  }

  #windowAround(pack: string, packId: Uint8Array, offset: number, length: number): Window {
    const known = this.#windows.find((one) => covers(one, pack, offset, length));
    if (known !== undefined) return known;
    const bytes = this.#readWindow(packId, offset, length);
    const window = { pack, offset, length: Math.max(length, windowBytes), bytes };
    bytes.catch(() => this.#forget(window));
    this.#windows = [window, ...this.#windows].slice(0, maxWindows);
    return window;
  }

  /** What lies behind the blob is wanted soon, but a pack may end before the window does. */
  async #readWindow(pack: Uint8Array, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#fetcher.rangeUpTo(pack, offset, length, Math.max(length, windowBytes), this.#signal);
  }

  #forget(window: Window): void {
    this.#windows = this.#windows.filter((one) => one !== window);
  }
}

function covers(window: Window, pack: string, offset: number, length: number): boolean {
  return window.pack === pack && window.offset <= offset && offset + length <= window.offset + window.length;
}
