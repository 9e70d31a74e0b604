import { largestPackBytes } from '../format/pack.ts';

/** One of the buffers. */
export interface PackBuffer {
  readonly number: number;
  readonly bytes: Buffer<SharedArrayBuffer>;
}

/** What a thread needs to use the buffers, too. */
export interface SharedPackBuffers {
  /** 1 for each buffer that is in use; then how often one was given back, and 1 when all waiting is over. */
  readonly words: Int32Array;
  readonly buffers: readonly SharedArrayBuffer[];
}

/**
 * The memory of the packs of one pool of threads: a buffer for each thread and one more, in shared memory, used again and
 * again. A buffer of its own for each pack made the main thread look through its heap for garbage with every pack, and the
 * system map and clear 16 MiB. A thread that finds none free waits for the store, which holds fast threads back.
 */
export class PackBuffers {
  readonly #shared: SharedPackBuffers;
  readonly #returned: number;
  readonly #over: number;

  constructor(shared: SharedPackBuffers) {
    this.#shared = shared;
    this.#returned = shared.buffers.length;
    this.#over = shared.buffers.length + 1;
  }

  /** Memory is only used as it is written to. */
  static forThreads(threads: number): PackBuffers {
    const buffers = Array.from({ length: threads + 1 }, () => new SharedArrayBuffer(largestPackBytes));
    const words = new Int32Array(new SharedArrayBuffer((buffers.length + 2) * 4));
    return new PackBuffers({ words, buffers });
  }

  get shared(): SharedPackBuffers {
    return this.#shared;
  }

  /** In a thread: waits until one is free. Undefined when the work has ended early. */
  take(): PackBuffer | undefined {
    const { words, buffers } = this.#shared;
    for (;;) {
      const returned = Atomics.load(words, this.#returned);
      if (Atomics.load(words, this.#over) !== 0) return undefined;
      const number = buffers.findIndex((_, at) => Atomics.compareExchange(words, at, 0, 1) === 0);
      if (number >= 0) return { number, bytes: Buffer.from(buffers[number]!) };
      Atomics.wait(words, this.#returned, returned);
    }
  }

  /** When nobody reads or writes it any more: the next thread writes into it at once. Without a number there is none. */
  giveBack(number: number | undefined): void {
    if (number === undefined) return;
    const { words } = this.#shared;
    Atomics.store(words, number, 0);
    Atomics.add(words, this.#returned, 1);
    Atomics.notify(words, this.#returned);
  }

  /** In the main thread, when the work ends early: nobody waits any more. */
  endWaiting(): void {
    Atomics.store(this.#shared.words, this.#over, 1);
    Atomics.add(this.#shared.words, this.#returned, 1);
    Atomics.notify(this.#shared.words, this.#returned);
  }
}
