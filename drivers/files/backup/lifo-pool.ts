/**
 * Runs at most `limit` jobs at once, the newest first: a walk that adds the sub folders of a folder when it has seen it
 * goes down before it goes on, which keeps little open. A failed job rejects its own promise and no other.
 */
export class LifoPool {
  readonly limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limit) await new Promise<void>((start) => this.#waiting.push(start));
    else this.#running += 1;
    try {
      return await job();
    } finally {
      const next = this.#waiting.pop();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
