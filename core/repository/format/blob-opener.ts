import { maxBytes } from './chunker.ts';
import { ifCorrupt } from './damage.ts';
import { type Hashed, type HashPairs, hashPairs } from './hash-pairs.ts';
import { plainUnchecked, type SealedBlob } from './pack.ts';
import { release } from './release.ts';
import type { Sealer } from './sealer.ts';

/** Gets a plain blob that is what its id says, gone when it returns; undefined when it is not, or does not open. */
export type Opened = (plain: Uint8Array | undefined) => void;

/** Opens many blobs, one after the other, in memory that is used again, and hashes two at a time. */
export class BlobOpener {
  readonly #sealer: Sealer;
  readonly #hashes: HashPairs;
  /** Of the blob that waits for its hash, and of the next one. */
  #held: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #room: Buffer<ArrayBuffer> = Buffer.alloc(0);

  constructor(sealer: Sealer, hashes: HashPairs = hashPairs()) {
    this.#sealer = sealer;
    this.#hashes = hashes;
  }

  /** Runs `work`, which opens blobs: when this returns, every one of them has been told. */
  all(work: () => void): void {
    try {
      work();
      this.#hashes.end();
    } finally {
      this.#hashes.drop();
    }
  }

  /** `then` is called now or later, in no promised order. `sealed` may be gone when this returns. */
  open(blob: Omit<SealedBlob, 'pack'>, sealed: Uint8Array, then: Opened): void {
    const plain = this.#plain(blob, sealed);
    if (plain === undefined) {
      then(undefined);
      return;
    }
    const isTold = this.#hashes.add(plain, (id) => then(Buffer.compare(id, blob.id) === 0 ? plain : undefined));
    if (!isTold) [this.#held, this.#room] = [this.#room, this.#held];
  }

  /** The hash of bytes that are no blob of a pack, and stay as they are meanwhile. */
  hash(bytes: Uint8Array, then: Hashed): void {
    this.#hashes.add(bytes, then);
  }

  #plain(blob: Omit<SealedBlob, 'pack'>, sealed: Uint8Array): Buffer | undefined {
    try {
      return plainUnchecked(this.#sealer, blob, sealed, (bytes) => this.#take(bytes));
    } catch (error) {
      return ifCorrupt(error, () => undefined);
    }
  }

  /** More than any blob should have is not kept. */
  #take(bytes: number): Buffer<ArrayBuffer> {
    if (bytes > maxBytes) return Buffer.allocUnsafeSlow(bytes);
    if (this.#room.length < bytes) {
      release(this.#room.buffer);
      this.#room = Buffer.allocUnsafeSlow(Math.max(bytes, 64 * 1024, Math.min(maxBytes, 2 * this.#room.length)));
    }
    return this.#room.subarray(0, bytes);
  }
}
