/**
 * Holds a thread back while too many of its packs wait for the store: two counters in shared memory, so that a thread
 * that is busy without pause can be stopped and woken. Slot 0 counts packs under way, slot 1 is set to end all waiting.
 */
export class Gate {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.#words = new Int32Array(memory);
  }

  get memory(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** In a thread, before it hands over a pack: blocks until fewer than `limit` are under way. */
  enter(limit: number): void {
    for (;;) {
      const under = Atomics.load(this.#words, 0);
      if (Atomics.load(this.#words, 1) !== 0) return;
      if (under >= limit) Atomics.wait(this.#words, 0, under);
      else if (Atomics.compareExchange(this.#words, 0, under, under + 1) === under) return;
    }
  }

  /** In the main thread, when a pack is stored. */
  leave(): void {
    Atomics.sub(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /** In the main thread, when the work ends early: nobody waits any more. */
  open(): void {
    Atomics.store(this.#words, 1, 1);
    Atomics.notify(this.#words, 0);
  }
}
