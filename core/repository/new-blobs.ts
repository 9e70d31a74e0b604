import { hasLimitedAddressSpace } from './address-space.ts';
import { idBytes } from './format/blob-id.ts';
import { firstSlot, sameId } from './id-table.ts';

/**
 * The blobs that one backup has stored so far: a hash set in shared memory that all threads insert into without locks,
 * so that no two of them store the same blob. 37 to 50 bytes a blob.
 *
 * Keys lie one after the other. A slot has the number of a key plus one, or 0: a thread writes its key first and then
 * takes a free slot for it, so that who finds a number finds the key. Slots are a chain of tables, each twice the size of
 * the one before; a table that is 70 % full is closed and the next one is used. Two threads may, very rarely, both insert
 * a key while a table is being closed: the blob is then stored twice, which the format allows.
 */
export class NewBlobs {
  readonly #memory: NewBlobsMemory;
  /** Views have a length of their own, and are made anew when what they are to reach lies behind it. */
  #slots: Int32Array;
  #keys: Uint8Array;
  /** A key's number that this thread has taken and no slot has yet. */
  #own: number | undefined;

  constructor(memory: NewBlobsMemory = newMemory()) {
    this.#memory = memory;
    this.#slots = new Int32Array(memory.slots, 0, memory.slots.byteLength / slotBytes);
    this.#keys = new Uint8Array(memory.keys, 0, memory.keys.byteLength);
  }

  /** To hand to a thread, which makes its own `NewBlobs` over it. */
  get memory(): NewBlobsMemory {
    return this.#memory;
  }

  /** True when the caller is the first to have this blob (see `blobKey`) and has to store it. */
  insert(key: Uint8Array): boolean {
    for (let table = 0; table < this.#memory.tables; table++) {
      const outcome = this.#insertInto(table, key);
      if (outcome === 'closed') continue;
      if (outcome === 'inserted') this.#own = undefined;
      return outcome === 'inserted';
    }
    return true; // so many new blobs in one backup: the rest are stored without looking
  }

  #insertInto(table: number, key: Uint8Array): 'inserted' | 'present' | 'closed' {
    const start = tableStart(table);
    const slots = firstTableSlots * 2 ** table;
    this.#reachSlots(start + slots);
    for (let slot = firstSlot(key) % slots; ; slot = (slot + 1) % slots) {
      let taken = Atomics.load(this.#slots, start + slot);
      if (taken === 0) {
        if (Atomics.load(this.#slots, start - 1) >= slots * 0.7) return 'closed';
        taken = Atomics.compareExchange(this.#slots, start + slot, 0, this.#ownKey(key) + 1);
        if (taken === 0) Atomics.add(this.#slots, start - 1, 1);
        if (taken === 0) return 'inserted';
      }
      this.#reachKeys(taken * idBytes);
      if (sameId(this.#keys, (taken - 1) * idBytes, key)) return 'present';
    }
  }

  /** Nobody looks at a key before a slot has its number. */
  #ownKey(key: Uint8Array): number {
    this.#own ??= Atomics.add(this.#slots, 0, 1);
    this.#reachKeys((this.#own + 1) * idBytes);
    this.#keys.set(key, this.#own * idBytes);
    return this.#own;
  }

  #reachSlots(count: number): void {
    if (this.#slots.length >= count) return;
    const { slots } = this.#memory;
    grow(slots, count * slotBytes);
    this.#slots = new Int32Array(slots, 0, slots.byteLength / slotBytes);
  }

  #reachKeys(sizeBytes: number): void {
    if (this.#keys.length >= sizeBytes) return;
    const { keys } = this.#memory;
    if (keys.byteLength < sizeBytes) grow(keys, Math.min(keys.maxByteLength, sizeBytes * 2));
    this.#keys = new Uint8Array(keys, 0, keys.byteLength);
  }
}

export interface NewBlobsMemory {
  readonly tables: number;
  /** The count of keys that have numbers, and per table the count of its slots that are in use, then its slots. */
  readonly slots: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
}

/** Of 47 million blobs, and where there is no room to reserve those, of 1.4 million. */
const mostTables = 10;
const fewTables = 5;
const firstTableSlots = 2 ** 16;
const slotBytes = 4;

function newMemory(): NewBlobsMemory {
  if (hasLimitedAddressSpace()) return reserved(fewTables);
  try {
    return reserved(mostTables);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return reserved(fewTables);
  }
}

/** Address space is reserved at once; memory is taken where a page is first written. */
function reserved(tables: number): NewBlobsMemory {
  const most = tableStart(tables);
  return {
    tables,
    slots: new SharedArrayBuffer(tableStart(1) * slotBytes, { maxByteLength: most * slotBytes }),
    keys: new SharedArrayBuffer(firstTableSlots * idBytes, { maxByteLength: most * idBytes }),
  };
}

/** Two threads may grow at once; the one that comes second finds the memory large enough. */
function grow(memory: SharedArrayBuffer, sizeBytes: number): void {
  try {
    memory.grow(sizeBytes);
  } catch (error) {
    if (memory.byteLength < sizeBytes) throw error;
  }
}

/** Where the slots of a table begin, behind its count. */
function tableStart(table: number): number {
  return firstTableSlots * (2 ** table - 1) + table + 2;
}
