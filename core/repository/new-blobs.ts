import { idBytes } from './format/blob-id.ts';
import { firstSlot, sameId } from './id-table.ts';

/**
 * The blobs that one backup has stored so far: a hash set in shared memory that all threads insert into without locks,
 * so that no two of them store the same blob.
 *
 * It is a chain of tables, each twice the size of the one before; a table that is 70 % full is closed and the next one
 * is used. The memory is reserved at once and grows when a table is first used. A slot is a state word (0 free, 1 being
 * written, 2 in use) and a key. Two threads may, very rarely, both insert a key while a table is being closed: the blob
 * is then stored twice, which the format allows.
 */
export class NewBlobs {
  readonly #memory: SharedArrayBuffer;
  readonly #states: Int32Array;
  readonly #keys: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(tableStart(1), { maxByteLength: tableStart(tables) })) {
    this.#memory = memory;
    this.#states = new Int32Array(memory);
    this.#keys = new Uint8Array(memory);
  }

  /** To hand to a thread, which makes its own `NewBlobs` over it. */
  get memory(): SharedArrayBuffer {
    return this.#memory;
  }

  /** True when the caller is the first to have this blob (see `blobKey`) and has to store it. */
  insert(key: Uint8Array): boolean {
    for (let table = 0; table < tables; table++) {
      const outcome = this.#insertInto(table, key);
      if (outcome !== 'closed') return outcome === 'inserted';
    }
    return true; // 47 million new blobs in one backup: the rest are stored without looking
  }

  /** Two threads may grow at once; the one that comes second finds the memory large enough. */
  #reach(sizeBytes: number): void {
    if (this.#memory.byteLength >= sizeBytes) return;
    try {
      this.#memory.grow(sizeBytes);
    } catch (error) {
      if (this.#memory.byteLength < sizeBytes) throw error;
    }
  }

  #insertInto(table: number, key: Uint8Array): 'inserted' | 'present' | 'closed' {
    const slots = firstTableSlots * 2 ** table;
    const start = tableStart(table);
    this.#reach(tableStart(table + 1));
    const countAt = start / 4;
    for (let slot = firstSlot(key) % slots; ; slot = (slot + 1) % slots) {
      const at = start + headBytes + slot * slotBytes;
      while (Atomics.load(this.#states, at / 4) === 1);
      if (Atomics.load(this.#states, at / 4) === 2) {
        if (sameId(this.#keys, at + 4, key)) return 'present';
        continue;
      }
      if (Atomics.load(this.#states, countAt) >= slots * 0.7) return 'closed';
      if (Atomics.compareExchange(this.#states, at / 4, 0, 1) !== 0) {
        slot = (slot + slots - 1) % slots;
        continue;
      }
      this.#keys.set(key, at + 4);
      Atomics.add(this.#states, countAt, 1);
      Atomics.store(this.#states, at / 4, 2);
      return 'inserted';
    }
  }
}

const tables = 10;
const firstTableSlots = 2 ** 16;
const headBytes = 4;
const slotBytes = 4 + idBytes;

function tableStart(table: number): number {
  return firstTableSlots * (2 ** table - 1) * slotBytes + table * headBytes;
}
