import { idBytes, idOf, toHex } from '../format/blob-id.ts';
import { encodeHeader, lengthBytes, type PackEntry } from '../format/pack.ts';
import { sealBytes } from '../format/sealer.ts';
import { IdTable } from '../id-table.ts';

/** What the index says of a pack, and what the store has of it. */
export interface PackFacts {
  readonly number: number;
  readonly id: string;
  /** How large the file is by the index; undefined when no index names it. */
  readonly indexedBytes: number | undefined;
  /** Undefined when the store does not have it. */
  readonly storedBytes: number | undefined;
  /** Index files contradict each other, or one says what cannot be: blobs over each other, or a gap between them. */
  readonly contradictory: boolean;
  /** SHA-256 of the plain header that a pack with the blobs of the index must have. */
  readonly headerDigest: Uint8Array;
}

/** The packs of a repository by the index and by the store: about 130 bytes each. */
export class PackTable {
  readonly #ids = new IdTable();
  /** Two numbers a pack, as in `PackFacts`; NaN for what is not known. */
  #sizes = new Float64Array(0);
  #digests = new Uint8Array(0);
  #contradictory = new Uint8Array(0);

  get count(): number {
    return this.#ids.count;
  }

  /** As an index file names it. */
  addIndexed(id: Uint8Array, blobs: readonly PackEntry[]): void {
    const number = this.#add(id);
    const sorted = blobs.toSorted((a, b) => a.offset - b.offset);
    const header = encodeHeader(sorted);
    const digest = idOf(header);
    const end = sorted.at(-1);
    const size = (end === undefined ? 0 : end.offset + end.length) + header.length + sealBytes + lengthBytes;
    const isFirst = Number.isNaN(this.#sizes[number * 2]!);
    const agrees = isFirst || Buffer.compare(this.#digestOf(number), digest) === 0;
    if (!agrees || !isWithoutGaps(sorted)) this.#contradictory[number] = 1;
    if (!isFirst) return;
    this.#sizes[number * 2] = size;
    this.#digests.set(digest, number * idBytes);
  }

  /** As the store lists it. */
  addStored(id: Uint8Array, sizeBytes: number): void {
    const number = this.#add(id); // before the array is looked up: a larger one may take its place
    this.#sizes[number * 2 + 1] = sizeBytes;
  }

  /** It was listed and is not there. */
  setMissing(number: number): void {
    this.#sizes[number * 2 + 1] = Number.NaN;
  }

  find(id: Uint8Array): number | undefined {
    return this.#ids.numberOf(id);
  }

  isMissing(number: number): boolean {
    return Number.isNaN(this.#sizes[number * 2 + 1]!);
  }

  facts(number: number): PackFacts {
    return {
      number,
      id: toHex(this.#ids.idOf(number)),
      indexedBytes: known(this.#sizes[number * 2]!),
      storedBytes: known(this.#sizes[number * 2 + 1]!),
      contradictory: this.#contradictory[number] === 1,
      headerDigest: new Uint8Array(this.#digestOf(number)),
    };
  }

  *all(): Generator<PackFacts> {
    for (let number = 0; number < this.count; number++) yield this.facts(number);
  }

  #add(id: Uint8Array): number {
    const number = this.#ids.add(id);
    if (number * 2 >= this.#sizes.length) this.#grow();
    return number;
  }

  #grow(): void {
    const capacity = Math.max(1024, this.#contradictory.length * 2);
    const sizes = new Float64Array(capacity * 2).fill(Number.NaN);
    sizes.set(this.#sizes);
    const digests = new Uint8Array(capacity * idBytes);
    digests.set(this.#digests);
    const contradictory = new Uint8Array(capacity);
    contradictory.set(this.#contradictory);
    [this.#sizes, this.#digests, this.#contradictory] = [sizes, digests, contradictory];
  }

  #digestOf(number: number): Uint8Array {
    return this.#digests.subarray(number * idBytes, (number + 1) * idBytes);
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function isWithoutGaps(sorted: readonly PackEntry[]): boolean {
  let end = 0;
  for (const { offset, length } of sorted) {
    if (offset !== end) return false;
    end += length;
  }
  return true;
}
