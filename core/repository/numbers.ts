/** A list of 32-bit numbers that grows, at four bytes each. */
export class Numbers {
  #values = new Uint32Array(64);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  push(...values: number[]): void {
    if (this.#count + values.length > this.#values.length) {
      const grown = new Uint32Array(this.#count * 2 + values.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    for (const value of values) this.#values[this.#count++] = value;
  }

  at(at: number): number {
    return this.#values[at]!;
  }

  /** The values so far; a view that holds until the next push. */
  values(): Uint32Array {
    return this.#values.subarray(0, this.#count);
  }

  /** Takes the last `count` values, or all when there are fewer. */
  takeLast(count: number): Uint32Array {
    const from = Math.max(0, this.#count - count);
    const taken = this.#values.slice(from, this.#count);
    this.#count = from;
    return taken;
  }
}
