import type { ByteRange, Store } from '../driver/index.ts';

/**
 * Memory that is read into again and again, and that the thread which looks at the bytes shares: new memory would be mapped
 * and cleared each time, and the garbage collector be driven by it. What came lies there until the next `get`: until then
 * nobody may use it any more.
 */
export class ReusedMemory {
  readonly #sizeBytes: number;
  #memory: Uint8Array<SharedArrayBuffer> | undefined;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** As the store's `get`. What is larger than the room, or comes from a store that does not use it, has its own buffer. */
  async get(
    store: Store,
    name: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const memory = this.#memory ?? new Uint8Array(new SharedArrayBuffer(this.#sizeBytes));
    this.#memory = undefined;
    try {
      return await store.get<ArrayBufferLike>(name, range, signal, (bytes) =>
        bytes <= memory.length ? memory.subarray(0, bytes) : new Uint8Array(bytes),
      );
    } finally {
      if (!signal?.aborted) this.#memory = memory; // otherwise the store may still write there
    }
  }
}

/** What goes to a thread with these bytes, as a buffer changes hands: nothing of shared memory. */
export function transferOf({ buffer }: Uint8Array): readonly ArrayBuffer[] {
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}
