import type { BlobIndex, BlobLocation } from '../blob-index.ts';
import { toHex } from '../format/blob-id.ts';
import type { BlobType, PackEntry } from '../format/pack.ts';
import type { PackTable } from './pack-table.ts';

/** Why a blob cannot be had: the number of a pack that should hold it, or that no index names it. */
export type Lost = number | 'unindexed';

/** Which blobs can be had, by the index, by the packs that are there, and by what was found bad in them. */
export class Whereabouts {
  readonly index: BlobIndex;
  readonly packs: PackTable;
  readonly #bad = new Set<string>();
  #isMissingAny: boolean;
  #found: BlobIndex | undefined;
  #needsFound = false;

  constructor(index: BlobIndex, packs: PackTable) {
    this.index = index;
    this.packs = packs;
    this.#isMissingAny = [...packs.all()].some(({ storedBytes }) => storedBytes === undefined);
  }

  /** The blob at this place of the pack cannot be had from there. */
  markBad(pack: number, blob: Pick<PackEntry, 'type' | 'id' | 'offset'>): void {
    this.#bad.add(placeKey(pack, blob));
  }

  /** The pack was listed and is not there. */
  markMissing(pack: number): void {
    this.packs.setMissing(pack);
    this.#isMissingAny = true;
  }

  /** What lies where no index says so can be had from now on, by who looks there: see `needsFound`. */
  setFound(found: BlobIndex): void {
    this.#found = found;
  }

  /** Something was asked for that only packs have which no index names. */
  get needsFound(): boolean {
    return this.#needsFound;
  }

  /** Every pack is there, and nothing in any is known to be bad. */
  get isSound(): boolean {
    return !this.#isMissingAny && this.#bad.size === 0;
  }

  /** Undefined when the blob can be had, as far as was looked. */
  lost(type: BlobType, id: Uint8Array): Lost | undefined {
    if (!this.index.has(type, id)) return this.#lostBeyond(type, id);
    if (this.isSound) return undefined;
    const places = this.index.findAll(type, id);
    if (!places.every((place) => this.isBad(place))) return undefined;
    return this.#lostBeyond(type, id) === undefined ? undefined : this.#packOf(places[0]!);
  }

  #lostBeyond(type: BlobType, id: Uint8Array): Lost | undefined {
    const places = this.#found?.findAll(type, id) ?? [];
    if (places.every((place) => this.isBad(place)))
      return places[0] === undefined ? 'unindexed' : this.#packOf(places[0]);
    this.#needsFound = true;
    return undefined;
  }

  isBad(place: BlobLocation): boolean {
    const pack = this.#packOf(place);
    return this.packs.isMissing(pack) || this.#bad.has(placeKey(pack, place));
  }

  #packOf({ pack }: BlobLocation): number {
    return this.packs.find(pack)!; // whoever fills the index fills the table
  }
}

function placeKey(pack: number, { type, id, offset }: Pick<PackEntry, 'type' | 'id' | 'offset'>): string {
  return `${pack} ${offset} ${type} ${toHex(id.subarray(0, 8))}`;
}
