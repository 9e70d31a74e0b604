import type { Store } from '../../driver/index.ts';
import type { TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { fromHex } from '../format/blob-id.ts';
import { damagedBlob } from '../format/damage.ts';
import { IdTable } from '../id-table.ts';
import { listPacks } from '../list-packs.ts';
import { Numbers } from '../numbers.ts';
import { reaches } from '../reach.ts';

/** The packs in the store: their sizes, by their numbers in the index, and those that no index names. */
export class StoredPacks {
  /** 0 where the pack is not there. */
  readonly sizes: Float64Array;
  readonly orphans = new IdTable();
  readonly orphanSizes: number[] = [];

  private constructor(count: number) {
    this.sizes = new Float64Array(count);
  }

  static async list(store: Store, index: BlobIndex, signal: AbortSignal): Promise<StoredPacks> {
    const packs = new StoredPacks(index.packCount);
    for await (const { id, sizeBytes } of listPacks(store, signal)) packs.#add(index, fromHex(id), sizeBytes);
    return packs;
  }

  #add(index: BlobIndex, id: Uint8Array, sizeBytes: number): void {
    const pack = index.packNumber(id);
    if (pack !== undefined) this.sizes[pack] = sizeBytes;
    else this.orphanSizes[this.orphans.add(id)] = sizeBytes;
  }
}

/** What is used of each pack, by its number. Of a blob with many places one counts as used, the others as waste. */
export class PackUse {
  readonly usedBytes: Float64Array;
  readonly usedBlobs: Uint32Array;
  /** Bytes of all blobs. */
  readonly blobBytes: Float64Array;
  readonly hasTrees: Uint8Array;
  /** The places that count as used. */
  readonly places: Bits;
  /** Used places of blobs that have other places, too: when those go, these must be whole. */
  readonly relied = new Numbers();
  readonly #index: BlobIndex;
  readonly #sizes: Float64Array;
  readonly #avoid: (pack: number) => boolean;

  /**
   * `used`: blobs by their first place. `avoid`: packs that are used only for what is nowhere else. Throws
   * REPOSITORY_CORRUPT for a used blob that no pack in the store has.
   */
  constructor(index: BlobIndex, used: Bits, sizes: Float64Array, avoid: (pack: number) => boolean) {
    this.#index = index;
    this.#sizes = sizes;
    this.#avoid = avoid;
    this.places = used.copy();
    this.usedBytes = new Float64Array(index.packCount);
    this.usedBlobs = new Uint32Array(index.packCount);
    this.blobBytes = new Float64Array(index.packCount);
    this.hasTrees = new Uint8Array(index.packCount);
    this.#count();
    this.#choosePlaces();
    this.#rejectLost();
  }

  #count(): void {
    for (let place = 0; place < this.#index.count; place++) {
      const pack = this.#index.packOf(place);
      this.blobBytes[pack]! += this.#index.lengthOf(place);
      if (this.#index.isTree(place)) this.hasTrees[pack] = 1;
      if (this.places.has(place)) this.#use(place, 1);
    }
  }

  #use(place: number, sign: 1 | -1): void {
    const pack = this.#index.packOf(place);
    this.usedBlobs[pack]! += sign;
    this.usedBytes[pack]! += sign * this.#index.lengthOf(place);
  }

  #choosePlaces(): void {
    const done = new Bits();
    for (const again of this.#index.again()) {
      const places = this.#index.placesOf(this.#index.keyAt(again));
      const [first] = places;
      if (first === undefined || !this.places.has(first) || !done.set(first)) continue;
      this.#use(first, -1);
      this.places.clear(first);
      const best = places.reduce((one, other) => (this.#isBetter(other, one) ? other : one));
      this.#use(best, 1);
      this.relied.push(best);
    }
    for (const place of this.relied.values()) this.places.set(place);
  }

  /** There at all, then not avoided, then in the pack that is used most anyway. */
  #isBetter(one: number, other: number): boolean {
    for (const rank of [this.#isThere, this.#isWanted, this.#shareUsed]) {
      const difference = rank.call(this, one) - rank.call(this, other);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  #isThere(place: number): number {
    return reaches(this.#index, this.#sizes, place) ? 1 : 0;
  }

  #isWanted(place: number): number {
    return this.#avoid(this.#index.packOf(place)) ? 0 : 1;
  }

  #shareUsed(place: number): number {
    const pack = this.#index.packOf(place);
    return this.usedBytes[pack]! / this.#sizes[pack]!;
  }

  #rejectLost(): void {
    for (let place = 0; place < this.#index.count; place++) {
      if (this.places.has(place) && this.#isThere(place) === 0) throw this.#lost(place);
    }
  }

  #lost(place: number): TidemarkError {
    const { id, pack } = this.#index.locationOf(place);
    const there = this.#sizes[this.#index.packOf(place)]! > 0;
    return damagedBlob(id, pack, there ? 'cut short' : 'missing');
  }
}
