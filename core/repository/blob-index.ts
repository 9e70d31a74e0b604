import { idBytes } from './format/blob-id.ts';
import type { BlobType, PackEntry } from './format/pack.ts';
import { sealBytes } from './format/sealer.ts';
import { GrowingMemory } from './growing-memory.ts';
import { firstSlot, IdTable, sameId } from './id-table.ts';
import { Numbers } from './numbers.ts';

/** Where a blob is. `pack` is the 32-byte id of its pack file. */
export interface BlobLocation extends PackEntry {
  readonly pack: Uint8Array;
}

/**
 * Which blobs the repository has and where: an open-addressing hash table over typed arrays, 56 to 70 bytes a place.
 * Keys and slots lie in shared memory, so that threads ask whether a blob exists without asking the main thread; it
 * must not be written while threads read it.
 *
 * Places have numbers, from 0 on in the order in which they were added, so that others keep what they know of them in bits.
 */
export class BlobIndex {
  #count = 0;
  #capacity = initialCapacity;
  readonly #keyMemory = new GrowingMemory(initialCapacity * idBytes);
  readonly #slotMemory = new GrowingMemory(initialCapacity * 2 * wordBytes);
  readonly #fieldMemory = new GrowingMemory(initialCapacity * fieldsPerBlob * wordBytes);
  #keys = this.#keyMemory.bytes();
  #slots = this.#slotMemory.words();
  /** Per blob: pack number (with `treeBit` for a tree), offset, sealed length, plain length (0: not compressed). */
  #fields = this.#fieldMemory.words();
  readonly #packs = new IdTable();
  readonly #again = new Numbers();

  /** How many places; a blob that lies in several packs has several. */
  get count(): number {
    return this.#count;
  }

  /** Memory of the tables. */
  get sizeBytes(): number {
    return this.#keys.byteLength + this.#slots.byteLength + this.#fields.byteLength + this.#packs.sizeBytes;
  }

  /** Adds the blobs of a pack. A blob that is known already keeps its first place and gets another one. Gives its number. */
  addPack(pack: Uint8Array, entries: Iterable<PackEntry>): number {
    const packNumber = this.#packs.add(pack);
    for (const entry of entries) this.#add(packNumber, entry);
    return packNumber;
  }

  find(type: BlobType, id: Uint8Array): BlobLocation | undefined {
    const at = findSlot(this.#slots, this.#keys, blobKey(type, id));
    return at === undefined ? undefined : this.#locationAt(at, type, id);
  }

  /** Every place of a blob, the one that `find` gives first. */
  findAll(type: BlobType, id: Uint8Array): BlobLocation[] {
    return [...slotsOf(this.#slots, this.#keys, blobKey(type, id))].map((at) => this.#locationAt(at, type, id));
  }

  /** Packs have numbers, too, in the order in which they were first named. */
  get packCount(): number {
    return this.#packs.count;
  }

  packId(number: number): Uint8Array {
    return this.#packs.idOf(number);
  }

  packNumber(id: Uint8Array): number | undefined {
    return this.#packs.numberOf(id);
  }

  /** The ids of the packs that have blobs here. */
  *packs(): Generator<Uint8Array> {
    for (let number = 0; number < this.#packs.count; number++) yield this.#packs.idOf(number);
  }

  /** How far into each of these packs its last blob reaches. */
  *packEnds(): Generator<{ readonly pack: Uint8Array; readonly endBytes: number }> {
    const ends = new Float64Array(this.#packs.count);
    for (let place = 0; place < this.#count; place++) {
      const pack = this.packOf(place);
      ends[pack] = Math.max(ends[pack]!, this.offsetOf(place) + this.lengthOf(place));
    }
    let number = 0;
    for (const pack of this.packs()) yield { pack, endBytes: ends[number++]! };
  }

  /** The number of the place that `find` gives; `key` as of `blobKey`. */
  placeOf(key: Uint8Array): number | undefined {
    return findSlot(this.#slots, this.#keys, key);
  }

  /** The numbers of all places of a blob, that of `placeOf` first. */
  placesOf(key: Uint8Array): number[] {
    return [...slotsOf(this.#slots, this.#keys, key)];
  }

  /** The places of blobs that had one before. */
  again(): Uint32Array {
    return this.#again.values();
  }

  /** What `blobKey` gives for the blob of this place; a view. */
  keyAt(place: number): Uint8Array {
    return this.#keys.subarray(place * idBytes, (place + 1) * idBytes);
  }

  isTree(place: number): boolean {
    return (this.#fields[place * fieldsPerBlob]! & treeBit) !== 0;
  }

  packOf(place: number): number {
    return this.#fields[place * fieldsPerBlob]! & ~treeBit;
  }

  offsetOf(place: number): number {
    return this.#fields[place * fieldsPerBlob + 1]!;
  }

  lengthOf(place: number): number {
    return this.#fields[place * fieldsPerBlob + 2]!;
  }

  /** Of what is sealed in it. */
  plainLengthOf(place: number): number {
    return this.#fields[place * fieldsPerBlob + 3]! || this.lengthOf(place) - sealBytes;
  }

  locationOf(place: number): BlobLocation {
    const type = this.isTree(place) ? 'tree' : 'data';
    return this.#locationAt(place, type, blobKey(type, this.keyAt(place)));
  }

  #locationAt(at: number, type: BlobType, id: Uint8Array): BlobLocation {
    return {
      type,
      id,
      pack: this.#packs.idOf(this.packOf(at)),
      offset: this.offsetOf(at),
      length: this.lengthOf(at),
      plainBytes: this.#fields[at * fieldsPerBlob + 3]! || undefined,
    };
  }

  has(type: BlobType, id: Uint8Array): boolean {
    return findSlot(this.#slots, this.#keys, blobKey(type, id)) !== undefined;
  }

  /** For `sharedHas` in threads. */
  share(): SharedIndexData {
    return { keys: this.#keys, slots: this.#slots };
  }

  #add(packNumber: number, entry: PackEntry): void {
    const key = blobKey(entry.type, entry.id);
    const known = this.placeOf(key);
    if (known !== undefined && this.#isEnough(key, packNumber, entry.offset)) return;
    if (this.#count === this.#capacity) this.#growEntries();
    if ((this.#count + 1) * 2 > this.#slots.length) this.#growSlots();
    const at = this.#count++;
    if (known !== undefined) this.#again.push(at);
    this.#keys.set(key, at * idBytes);
    this.#setFields(at, packNumber, entry);
    insertSlot(this.#slots, this.#keys, at);
  }

  #setFields(at: number, packNumber: number, { type, offset, length, plainBytes }: PackEntry): void {
    const fields = at * fieldsPerBlob;
    this.#fields[fields] = type === 'tree' ? packNumber | treeBit : packNumber;
    this.#fields[fields + 1] = offset;
    this.#fields[fields + 2] = length;
    this.#fields[fields + 3] = plainBytes ?? 0;
  }

  /** Index files may name a pack twice; of blobs that lie in many packs some places are as good as all. */
  #isEnough(key: Uint8Array, packNumber: number, offset: number): boolean {
    const known = this.placesOf(key);
    return (
      known.length >= maxPlaces ||
      known.some((place) => this.offsetOf(place) === offset && this.packOf(place) === packNumber)
    );
  }

  /** By a quarter, not twofold, where memory that is not used yet counts, too. */
  #growEntries(): void {
    const capacity = Math.ceil(this.#capacity * 1.25);
    this.#keyMemory.grow(capacity * idBytes);
    this.#fieldMemory.grow(capacity * fieldsPerBlob * wordBytes);
    this.#keys = this.#keyMemory.bytes();
    this.#fields = this.#fieldMemory.words();
    this.#capacity = capacity;
  }

  #growSlots(): void {
    this.#slotMemory.grow(this.#slotMemory.sizeBytes * 2);
    this.#slots = this.#slotMemory.words().fill(0);
    for (let at = 0; at < this.#count; at++) insertSlot(this.#slots, this.#keys, at);
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
const wordBytes = 4;
/** Above any number of packs. */
const treeBit = 0x8000_0000;

/** Slots hold the blob's number plus one; the number of slots is a power of two and at least twice the blobs. */
function insertSlot(slots: Uint32Array, keys: Uint8Array, at: number): void {
  const mask = slots.length - 1;
  let slot = firstSlot(keys, at * idBytes) & mask;
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
