import { idBytes } from './format/blob-id.ts';
import type { BlobType, PackEntry } from './format/pack.ts';

/** Where a blob is. `pack` is the 32-byte id of its pack file. */
export interface BlobLocation extends PackEntry {
  readonly pack: Uint8Array;
}

/**
 * Which blobs the repository has and where: an open-addressing hash table over typed arrays, 60 to 80 bytes a place.
 * Keys and slots lie in shared memory, so that threads ask whether a blob exists without asking the main thread; it
 * must not be written while threads read it.
 */
export class BlobIndex {
  #count = 0;
  #capacity = initialCapacity;
  #keys = sharedBytes(initialCapacity * idBytes);
  #slots = sharedSlots(initialCapacity * 2);
  /** Per blob: pack number, offset, sealed length, plain length (0: not compressed). */
  #fields = new Uint32Array(initialCapacity * fieldsPerBlob);
  #packs = Buffer.alloc(1024 * idBytes);
  #packCount = 0;

  /** How many places; a blob that lies in several packs has several. */
  get count(): number {
    return this.#count;
  }

  /** Memory of the tables. */
  get sizeBytes(): number {
    return this.#keys.byteLength + this.#slots.byteLength + this.#fields.byteLength + this.#packs.length;
  }

  /** Adds the blobs of a pack. A blob that is known already keeps its first place and gets another one. */
  addPack(pack: Uint8Array, entries: Iterable<PackEntry>): void {
    const packNumber = this.#addPackId(pack);
    for (const entry of entries) this.#add(packNumber, entry);
  }

  find(type: BlobType, id: Uint8Array): BlobLocation | undefined {
    const at = findSlot(this.#slots, this.#keys, blobKey(type, id));
    return at === undefined ? undefined : this.#locationAt(at, type, id);
  }

  /** Every place of a blob, the one that `find` gives first. */
  findAll(type: BlobType, id: Uint8Array): BlobLocation[] {
    return [...slotsOf(this.#slots, this.#keys, blobKey(type, id))].map((at) => this.#locationAt(at, type, id));
  }

  /** The ids of the packs that have blobs here. */
  *packs(): Generator<Uint8Array> {
    for (let at = 0; at < this.#packCount; at++) yield this.#packs.subarray(at * idBytes, (at + 1) * idBytes);
  }

  /** How far into each of these packs its last blob reaches. */
  *packEnds(): Generator<{ readonly pack: Uint8Array; readonly endBytes: number }> {
    const ends = new Float64Array(this.#packCount);
    for (let at = 0; at < this.#count * fieldsPerBlob; at += fieldsPerBlob) {
      const pack = this.#fields[at]!;
      ends[pack] = Math.max(ends[pack]!, this.#fields[at + 1]! + this.#fields[at + 2]!);
    }
    let number = 0;
    for (const pack of this.packs()) yield { pack, endBytes: ends[number++]! };
  }

  #locationAt(at: number, type: BlobType, id: Uint8Array): BlobLocation {
    const fields = at * fieldsPerBlob;
    const packAt = this.#fields[fields]! * idBytes;
    return {
      type,
      id,
      pack: this.#packs.subarray(packAt, packAt + idBytes),
      offset: this.#fields[fields + 1]!,
      length: this.#fields[fields + 2]!,
      plainBytes: this.#fields[fields + 3]! || undefined,
    };
  }

  has(type: BlobType, id: Uint8Array): boolean {
    return findSlot(this.#slots, this.#keys, blobKey(type, id)) !== undefined;
  }

  /** For `sharedHas` in threads. */
  share(): SharedIndexData {
    return { keys: this.#keys, slots: this.#slots };
  }

  #addPackId(pack: Uint8Array): number {
    if ((this.#packCount + 1) * idBytes > this.#packs.length)
      this.#packs = Buffer.concat([this.#packs], this.#packs.length * 2);
    this.#packs.set(pack, this.#packCount * idBytes);
    return this.#packCount++;
  }

  #add(packNumber: number, entry: PackEntry): void {
    const key = blobKey(entry.type, entry.id);
    if (this.#isEnough(key, packNumber, entry)) return;
    if (this.#count === this.#capacity) this.#growEntries();
    if ((this.#count + 1) * 2 > this.#slots.length) this.#growSlots();
    const at = this.#count++;
    this.#keys.set(key, at * idBytes);
    this.#fields.set([packNumber, entry.offset, entry.length, entry.plainBytes ?? 0], at * fieldsPerBlob);
    insertSlot(this.#slots, key, at);
  }

  /** Index files may name a pack twice; of blobs that lie in many packs some places are as good as all. */
  #isEnough(key: Uint8Array, packNumber: number, { type, id, offset }: PackEntry): boolean {
    if (findSlot(this.#slots, this.#keys, key) === undefined) return false;
    const known = this.findAll(type, id);
    const pack = this.#packs.subarray(packNumber * idBytes, (packNumber + 1) * idBytes);
    return known.length >= maxPlaces || known.some((one) => one.offset === offset && sameId(one.pack, 0, pack));
  }

  /** By a quarter, not twofold: entries are most of the memory. */
  #growEntries(): void {
    this.#capacity = Math.ceil(this.#capacity * 1.25);
    const keys = sharedBytes(this.#capacity * idBytes);
    keys.set(this.#keys);
    this.#keys = keys;
    const fields = new Uint32Array(this.#capacity * fieldsPerBlob);
    fields.set(this.#fields);
    this.#fields = fields;
  }

  #growSlots(): void {
    this.#slots = sharedSlots(this.#slots.length * 2);
    for (let at = 0; at < this.#count; at++) insertSlot(this.#slots, this.#keys.subarray(at * idBytes), at);
  }
}

/**
 * What tables of blobs know a blob by: its id, for trees with the last byte inverted. A file may have the very bytes of
 * a tree, and these are two blobs.
 */
export function blobKey(type: BlobType, id: Uint8Array): Uint8Array {
  if (type === 'data') return id;
  const key = new Uint8Array(id);
  key[idBytes - 1]! ^= 0xff;
  return key;
}

export interface SharedIndexData {
  readonly keys: Uint8Array;
  readonly slots: Uint32Array;
}

/** Whether a blob is in the index; for any thread. */
export function sharedHas(index: SharedIndexData, key: Uint8Array): boolean {
  return findSlot(index.slots, index.keys, key) !== undefined;
}

const initialCapacity = 4096;
const maxPlaces = 4;
const fieldsPerBlob = 4;

function sharedBytes(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

function sharedSlots(count: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(count * 4));
}

/** Slots hold the blob's number plus one; the number of slots is a power of two and at least twice the blobs. */
function insertSlot(slots: Uint32Array, key: Uint8Array, at: number): void {
  const mask = slots.length - 1;
  let slot = firstSlot(key) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = at + 1;
}

function findSlot(slots: Uint32Array, keys: Uint8Array, key: Uint8Array): number | undefined {
  const mask = slots.length - 1;
  for (let slot = firstSlot(key) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const at = slots[slot]! - 1;
    if (sameId(keys, at * idBytes, key)) return at;
  }
  return undefined;
}

/** All entries of a key, in the order in which they were added: slots are taken in that order and never given back. */
function* slotsOf(slots: Uint32Array, keys: Uint8Array, key: Uint8Array): Generator<number> {
  const mask = slots.length - 1;
  for (let slot = firstSlot(key) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const at = slots[slot]! - 1;
    if (sameId(keys, at * idBytes, key)) yield at;
  }
}

/** A SHA-256 is its own hash. */
export function firstSlot(id: Uint8Array): number {
  return (id[0]! | (id[1]! << 8) | (id[2]! << 16) | (id[3]! << 24)) >>> 0;
}

export function sameId(ids: Uint8Array, offset: number, id: Uint8Array): boolean {
  for (let at = 0; at < idBytes; at++) if (ids[offset + at] !== id[at]) return false;
  return true;
}
