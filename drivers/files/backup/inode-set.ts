import type { FileStat } from '../system/stat.ts';

type Numbers = Pick<FileStat, 'deviceId' | 'inode'>;

const chunkSize = 65_536;

/** Which files and folders were dealt with, by their numbers: 8 bytes each, whatever their names. */
export class InodeSet {
  readonly #chunks: BigUint64Array[] = [];
  #usedOfLast = chunkSize;
  #sorted = true;
  #device: bigint | undefined;
  #salt = 0n;

  add(stat: Numbers): void {
    if (this.#usedOfLast === chunkSize) {
      this.#chunks.push(new BigUint64Array(chunkSize));
      this.#usedOfLast = 0;
    }
    this.#chunks.at(-1)![this.#usedOfLast++] = this.key(stat);
    this.#sorted = false;
  }

  /** The same in every set: numbers of different file systems do not meet. */
  key({ deviceId, inode }: Numbers): bigint {
    if (deviceId !== this.#device) {
      this.#device = deviceId;
      this.#salt = BigInt.asUintN(64, deviceId * 0x9e3779b97f4a7c15n);
    }
    return BigInt.asUintN(64, inode ^ this.#salt);
  }

  /** Sorts first, where something was added since the last call. */
  has(key: bigint): boolean {
    if (!this.#sorted) for (const chunk of this.#used()) chunk.sort();
    this.#sorted = true;
    return this.#used().some((chunk) => holds(chunk, key));
  }

  /** The room that is not used yet must not be sorted into what is. */
  #used(): BigUint64Array[] {
    const last = this.#chunks.length - 1;
    return this.#chunks.map((chunk, at) => (at === last ? chunk.subarray(0, this.#usedOfLast) : chunk));
  }
}

function holds(sorted: BigUint64Array, key: bigint): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < key) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === key;
}
