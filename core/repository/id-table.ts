import { idBytes } from './format/blob-id.ts';

/**
 * Ids (32 bytes each) and the numbers they get, from 0 on: an open-addressing hash table of 40 to 56 bytes an id. For
 * packs, which may be a million: an object for each would cost several times as much.
 */
export class IdTable {
  #count = 0;
  #ids = Buffer.alloc(1024 * idBytes);
  /** Number plus one; a power of two of them, at least twice the ids. */
  #slots = new Uint32Array(2048);

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#ids.length + this.#slots.byteLength;
  }

  /** The number of this id, a new one when it has none. */
  add(id: Uint8Array): number {
    const known = this.numberOf(id);
    if (known !== undefined) return known;
    if ((this.#count + 1) * idBytes > this.#ids.length) this.#ids = Buffer.concat([this.#ids], this.#ids.length * 2);
    if ((this.#count + 1) * 2 > this.#slots.length) this.#growSlots();
    const number = this.#count++;
    this.#ids.set(id, number * idBytes);
    this.#insert(number);
    return number;
  }

  numberOf(id: Uint8Array): number | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = firstSlot(id) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (sameId(this.#ids, number * idBytes, id)) return number;
    }
    return undefined;
  }

  /** A view: it changes with nothing. */
  idOf(number: number): Uint8Array {
    return this.#ids.subarray(number * idBytes, (number + 1) * idBytes);
  }

  #insert(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = firstSlot(this.idOf(number)) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#count; number++) this.#insert(number);
  }
}

/** A SHA-256 is its own hash. */
export function firstSlot(ids: Uint8Array, at = 0): number {
  return (ids[at]! | (ids[at + 1]! << 8) | (ids[at + 2]! << 16) | (ids[at + 3]! << 24)) >>> 0;
}

export function sameId(ids: Uint8Array, offset: number, id: Uint8Array): boolean {
  for (let at = 0; at < idBytes; at++) if (ids[offset + at] !== id[at]) return false;
  return true;
}
