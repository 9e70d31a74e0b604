import type { TidemarkError } from '../../error.ts';
import { BlobFetcher } from '../blob-fetcher.ts';
import { type BlobLocation, blobKey } from '../blob-index.ts';
import { damagedBlob, ifCorrupt } from '../format/damage.ts';
import { openBlob } from '../format/pack.ts';
import { release } from '../format/release.ts';
import { Sealer } from '../format/sealer.ts';
import type { RepositoryParts } from '../parts.ts';
import { readPlaces } from '../place-runs.ts';

type Found = (place: number, tree: Uint8Array | TidemarkError) => void;

/** Reads many trees. */
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
   * given is gone when it returns. Throws what the store throws.
   */
  read(places: Uint32Array, found: Found): Promise<void> {
    return readPlaces(this.#parts, places, this.#signal, (place, sealed) => this.#tell(place, sealed, found));
  }

  #tell(place: number, sealed: Uint8Array | undefined, found: Found): void | Promise<void> {
    const blob = this.#parts.index.locationOf(place);
    const tree = sealed && this.#open(blob, sealed);
    if (!(tree instanceof Uint8Array)) return this.#elsewhere(blob).then((other) => found(place, other));
    found(place, tree);
    release(tree.buffer);
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
