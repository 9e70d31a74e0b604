import type { TidemarkError } from '../../error.ts';
import { BlobFetcher } from '../blob-fetcher.ts';
import { type BlobLocation, blobKey } from '../blob-index.ts';
import { damagedBlob, ifCorrupt } from '../format/damage.ts';
import { openBlob } from '../format/pack.ts';
import { release } from '../format/release.ts';
import { Sealer } from '../format/sealer.ts';
import type { RepositoryParts } from '../parts.ts';

/** What lies between two wanted trees is read with them up to this much: a request costs as much. */
const gapBytes = 64 * 1024;
const maxRunBytes = 8 * 1024 * 1024;
const runsAtOnce = 3;

interface Run {
  readonly places: readonly number[];
  readonly offset: number;
  readonly length: number;
}

type Found = (place: number, tree: Uint8Array | TidemarkError) => void;

/** Reads many trees, those of one pack that lie near each other in one request. */
export class TreeBatches {
  readonly #parts: RepositoryParts;
  readonly #fetcher: BlobFetcher;
  readonly #sealer: Sealer;
  readonly #signal: AbortSignal;

  constructor(parts: RepositoryParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#fetcher = new BlobFetcher(parts.store, parts.index);
    this.#sealer = new Sealer(parts.key);
    this.#signal = signal;
  }

  /**
   * Gives each of these trees (numbers of places), in no order, or why it cannot be had from any pack. What `found` is
   * given is gone when it returns. Memory: a few runs of 8 MiB. Throws what the store throws.
   */
  async read(places: Uint32Array, found: Found): Promise<void> {
    const runs = this.#runsOf(places);
    const some = async () => {
      for (const run of runs) await this.#readRun(run, found); // one that throws ends `runs` for all
    };
    await Promise.all(Array.from({ length: runsAtOnce }, some));
  }

  *#runsOf(places: Uint32Array): Generator<Run> {
    const { index } = this.#parts;
    const sorted = places
      .slice()
      .sort((a, b) => index.packOf(a) - index.packOf(b) || index.offsetOf(a) - index.offsetOf(b));
    for (let first = 0; first < sorted.length; ) {
      const offset = index.offsetOf(sorted[first]!);
      let end = offset + index.lengthOf(sorted[first]!);
      let next = first + 1;
      for (; next < sorted.length && this.#isNear(sorted[first]!, end, sorted[next]!); next++) {
        end = Math.max(end, index.offsetOf(sorted[next]!) + index.lengthOf(sorted[next]!));
      }
      yield { places: [...sorted.subarray(first, next)], offset, length: end - offset };
      first = next;
    }
  }

  #isNear(first: number, end: number, next: number): boolean {
    const { index } = this.#parts;
    const nextEnd = index.offsetOf(next) + index.lengthOf(next);
    return (
      index.packOf(next) === index.packOf(first) &&
      index.offsetOf(next) - end <= gapBytes &&
      nextEnd - index.offsetOf(first) <= maxRunBytes
    );
  }

  async #readRun(run: Run, found: Found): Promise<void> {
    this.#signal.throwIfAborted();
    const pack = this.#parts.index.packId(this.#parts.index.packOf(run.places[0]!));
    const bytes = await this.#fetcher
      .bytes(pack, run.offset, run.length, this.#signal)
      .catch((error) => ifCorrupt(error, () => undefined)); // a bad sector: each tree is then tried by itself
    for (const place of run.places) {
      const blob = this.#parts.index.locationOf(place);
      const at = blob.offset - run.offset;
      const tree = bytes && this.#open(blob, bytes.subarray(at, at + blob.length));
      if (tree instanceof Uint8Array) {
        found(place, tree);
        release(tree.buffer);
      } else {
        found(place, await this.#elsewhere(blob));
      }
    }
    if (bytes !== undefined) release(bytes.buffer);
  }

  #open(blob: BlobLocation, sealed: Uint8Array): Buffer | TidemarkError {
    try {
      if (sealed.length < blob.length) throw damagedBlob(blob.id, blob.pack, 'cut short');
      return openBlob(this.#sealer, blob, sealed);
    } catch (error) {
      return ifCorrupt(error, (damage) => damage);
    }
  }

  /** From each place where it should be, alone. Gives what is wrong at the first. */
  async #elsewhere(blob: BlobLocation): Promise<Uint8Array | TidemarkError> {
    let damage: TidemarkError | undefined;
    for (const place of this.#parts.index.placesOf(blobKey('tree', blob.id))) {
      const tree = await this.#readAlone(this.#parts.index.locationOf(place));
      if (tree instanceof Uint8Array) return tree;
      damage ??= tree;
    }
    return damage!;
  }

  async #readAlone(blob: BlobLocation): Promise<Uint8Array | TidemarkError> {
    try {
      const sealed = await this.#fetcher.bytes(blob.pack, blob.offset, blob.length, this.#signal);
      return sealed === undefined ? damagedBlob(blob.id, blob.pack, 'missing') : this.#open(blob, sealed);
    } catch (error) {
      return ifCorrupt(error, (damage) => damagedBlob(blob.id, blob.pack, 'damaged', damage));
    }
  }
}
