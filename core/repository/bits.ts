/** One bit for each number from 0 on; grows with the highest that is set. */
export class Bits {
  #words: Uint32Array;

  constructor(count = 0) {
    this.#words = new Uint32Array((count >>> 5) + 1);
  }

  get sizeBytes(): number {
    return this.#words.byteLength;
  }

  has(at: number): boolean {
    const word = at >>> 5;
    return word < this.#words.length && (this.#words[word]! & (1 << (at & 31))) !== 0;
  }

  /** True when it was not set before. */
  set(at: number): boolean {
    const word = at >>> 5;
    if (word >= this.#words.length) this.#grow(word + 1);
    const bit = 1 << (at & 31);
    if ((this.#words[word]! & bit) !== 0) return false;
    this.#words[word]! |= bit;
    return true;
  }

  clear(at: number): void {
    const word = at >>> 5;
    if (word < this.#words.length) this.#words[word]! &= ~(1 << (at & 31));
  }

  /** Sets all that are set there. */
  addAll(other: Bits): void {
    if (other.#words.length > this.#words.length) this.#grow(other.#words.length);
    for (const [at, word] of other.#words.entries()) this.#words[at]! |= word;
  }

  copy(): Bits {
    const bits = new Bits();
    bits.#words = this.#words.slice();
    return bits;
  }

  #grow(words: number): void {
    const grown = new Uint32Array(Math.max(words, Math.ceil(this.#words.length * 1.25)));
    grown.set(this.#words);
    this.#words = grown;
  }
}
