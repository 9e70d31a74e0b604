import { idBytes } from './format/blob-id.ts';
import type { BlobType, PackEntry } from './format/pack.ts';

/** Where a blob is. `pack` is the 32-byte id of its pack file. */
export interface BlobLocation extends PackEntry {
  readonly pack: Uint8Array;
}

/**
 * Which blobs the repository has and where: an open-addressing hash table over typed arrays, about 60 bytes a blob.
 * `id` and `slots` lie in shared memory, so that threads ask whether a blob exists without asking the main thread; it
 * must not be written while threads read it.
 */
export class BlobIndex {
  #count = 0;
  #ids = sharedBytes(initialCapacity * idBytes);
  #slots = new Uint32Array(new SharedArrayBuffer(initialCapacity * 2 * 4));
  /** Per blob: pack number, offset, sealed length, plain length (0: not compressed) with the type in its top bit. */
  #fields = new Uint32Array(initialCapacity * fieldsPerBlob);
  #packs = Buffer.alloc(1024 * idBytes);
  #packCount = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds the blobs of a pack; a blob that is known already keeps its first place. */
  addPack(pack: Uint8Array, entries: Iterable<PackEntry>): void {
    const packNumber = this.#addPackId(pack);
    for (const entry of entries) this.#add(packNumber, entry);
  }

  find(type: BlobType, id: Uint8Array): BlobLocation | undefined {
    const at = findSlot(this.#slots, this.#ids, id);
    if (at === undefined) return undefined;
    const [packNumber, offset, length, sizeAndType] = this.#fields.subarray(at * fieldsPerBlob) as unknown as number[];
    if ((sizeAndType! >= treeBit ? 'tree' : 'data') !== type) return undefined;
    const plainBytes = sizeAndType! % treeBit;
    return {
      type,
      id,
      pack: this.#packs.subarray(packNumber! * idBytes, (packNumber! + 1) * idBytes),
      offset: offset!,
      length: length!,
      plainBytes: plainBytes === 0 ? undefined : plainBytes,
    };
  }

  has(id: Uint8Array): boolean {
    return findSlot(this.#slots, this.#ids, id) !== undefined;
  }

  /** For `SharedIndex` in threads. */
  share(): SharedIndexData {
    return { ids: this.#ids, slots: this.#slots };
  }

  #addPackId(pack: Uint8Array): number {
    if ((this.#packCount + 1) * idBytes > this.#packs.length)
      this.#packs = Buffer.concat([this.#packs], this.#packs.length * 2);
    this.#packs.set(pack, this.#packCount * idBytes);
    return this.#packCount++;
  }

  #add(packNumber: number, entry: PackEntry): void {
    if (this.has(entry.id)) return;
    if ((this.#count + 1) * 2 > this.#slots.length) this.#grow();
    const at = this.#count++;
    this.#ids.set(entry.id, at * idBytes);
    const sizeAndType = (entry.plainBytes ?? 0) + (entry.type === 'tree' ? treeBit : 0);
    this.#fields.set([packNumber, entry.offset, entry.length, sizeAndType], at * fieldsPerBlob);
    insertSlot(this.#slots, entry.id, at);
  }

  #grow(): void {
    const capacity = this.#slots.length;
    const ids = sharedBytes(capacity * idBytes);
    ids.set(this.#ids);
    const fields = new Uint32Array(capacity * fieldsPerBlob);
    fields.set(this.#fields);
    this.#ids = ids;
    this.#fields = fields;
    this.#slots = new Uint32Array(new SharedArrayBuffer(capacity * 2 * 4));
    for (let at = 0; at < this.#count; at++) insertSlot(this.#slots, ids.subarray(at * idBytes), at);
  }
}

export interface SharedIndexData {
  readonly ids: Uint8Array;
  readonly slots: Uint32Array;
}

/** Whether a blob is in the index; for any thread. */
export function sharedHas(index: SharedIndexData, id: Uint8Array): boolean {
  return findSlot(index.slots, index.ids, id) !== undefined;
}

const initialCapacity = 4096;
const fieldsPerBlob = 4;
const treeBit = 2 ** 31;

function sharedBytes(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

/** Slots hold the blob's number plus one; the number of slots is a power of two and at least twice the blobs. */
function insertSlot(slots: Uint32Array, id: Uint8Array, at: number): void {
  const mask = slots.length - 1;
  let slot = firstSlot(id) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = at + 1;
}

function findSlot(slots: Uint32Array, ids: Uint8Array, id: Uint8Array): number | undefined {
  const mask = slots.length - 1;
  for (let slot = firstSlot(id) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const at = slots[slot]! - 1;
    if (sameId(ids, at * idBytes, id)) return at;
  }
  return undefined;
}

/** A SHA-256 is its own hash. */
export function firstSlot(id: Uint8Array): number {
  return (id[0]! | (id[1]! << 8) | (id[2]! << 16) | (id[3]! << 24)) >>> 0;
}

export function sameId(ids: Uint8Array, offset: number, id: Uint8Array): boolean {
  for (let at = 0; at < idBytes; at++) if (ids[offset + at] !== id[at]) return false;
  return true;
}
