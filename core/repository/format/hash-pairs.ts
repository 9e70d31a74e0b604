import crypto from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { idOf } from './blob-id.ts';
import { type Declare, fromLibrary } from './native-library.ts';

/** Gets the SHA-256 of bytes that were added, gone when it returns. */
export type Hashed = (id: Uint8Array) => void;

/** SHA-256 of one thing after the other, two at a time where that is faster. */
export interface HashPairs {
  /** `then` is called now (true) or by a later call (false): until then the bytes must stay as they are. */
  add(bytes: Uint8Array, then: Hashed): boolean;
  /** Hashes the rest of what is still held. */
  end(): void;
  /** Forgets what is still held. */
  drop(): void;
}

/** By OpenSSL's function for several streams, which Node's program exports; where that is no gain, one by one. */
export function hashPairs(): HashPairs {
  return nativeHashPairs() ?? oneByOne;
}

export const oneByOne: HashPairs = {
  add(bytes, then) {
    then(idOf(bytes));
    return true;
  },
  end() {},
  drop() {},
};

let loaded: { readonly make: (() => HashPairs) | undefined } | undefined;

/** Undefined where the function is missing, gives another answer than Node does, or the processor has no SHA instructions. */
export function nativeHashPairs(): HashPairs | undefined {
  loaded ??= { make: hasShaInstructions() ? fromLibrary(null, whenRight) : undefined };
  return loaded.make?.();
}

/** One stream waits for the other's result in a processor that could do both: two take 0.64 of the time of one after the other. */
function hasShaInstructions(): boolean {
  if (process.arch !== 'x64' || !process.versions.openssl.startsWith('3.')) return false;
  const text = Buffer.alloc(4096); // the first processor's
  try {
    const file = openSync('/proc/cpuinfo', 'r');
    try {
      return /^flags\b.* sha_ni\b/m.test(text.toString('latin1', 0, readSync(file, text)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

type MultiBlock = (states: Uint32Array, streams: Uint32Array, groups: number) => void;
type AddressOf = (bytes: Uint8Array) => number;

function whenRight(declare: Declare): (() => HashPairs) | undefined {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const multiBlock = declare('void sha256_multi_block(void *, void *, int)') as MultiBlock;
  const addressOf: AddressOf = (bytes) => Number(koffi.address(bytes));
  const make = () => new NativePairs(multiBlock, addressOf);
  return isRight(make()) ? make : undefined;
}

function isRight(pairs: HashPairs): boolean {
  const all = [0, 55, 56, 63, 64, 119, 120, 1000, 64, 0].map((length) => Buffer.alloc(length, length));
  let right = 0;
  const see = (bytes: Uint8Array) => (id: Uint8Array) => {
    if (Buffer.compare(id, crypto.hash('sha256', bytes, 'buffer')) === 0) right += 1;
  };
  for (const bytes of all) pairs.add(bytes, see(bytes));
  pairs.end();
  return right === all.length;
}

const blockBytes = 64;
/**
 * `SHA256_MB_CTX` of OpenSSL: word by word of the state, each of eight streams. `HASH_DESC`, for each of them: where the
 * bytes are, and how many blocks. One group is four of them; those without blocks are left alone.
 */
const streams = 8;
const beginning = Uint32Array.of(
  ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
);

class NativePairs implements HashPairs {
  readonly #multiBlock: MultiBlock;
  readonly #states = new Uint32Array(8 * streams);
  readonly #descriptions = new Uint32Array(4 * streams);
  readonly #first: Stream;
  readonly #second: Stream;

  constructor(multiBlock: MultiBlock, addressOf: AddressOf) {
    this.#multiBlock = multiBlock;
    this.#first = new Stream(0, addressOf);
    this.#second = new Stream(1, addressOf);
  }

  add(bytes: Uint8Array, then: Hashed): boolean {
    const [mine, other] = this.#first.isBusy ? [this.#second, this.#first] : [this.#first, this.#second];
    mine.begin(bytes, then, this.#states);
    while (mine.isBusy && other.isBusy) this.#advance(Math.min(mine.blocks, other.blocks), mine, other);
    return !mine.isBusy;
  }

  end(): void {
    for (const one of [this.#first, this.#second]) while (one.isBusy) this.#advance(one.blocks, one);
  }

  drop(): void {
    for (const one of [this.#first, this.#second]) one.drop();
  }

  #advance(blocks: number, ...those: readonly Stream[]): void {
    if (blocks > 0) {
      for (const one of [this.#first, this.#second]) {
        one.describe(this.#descriptions, those.includes(one) ? blocks : 0);
      }
      this.#multiBlock(this.#states, this.#descriptions, 1);
    }
    for (const one of those) one.advance(blocks, this.#states);
  }
}

/** One of the two: first the whole blocks where they lie, then the rest with what SHA-256 ends with. */
class Stream {
  readonly #number: number;
  readonly #addressOf: AddressOf;
  readonly #end = Buffer.alloc(2 * blockBytes);
  readonly #id = Buffer.alloc(32);
  #bytes: Uint8Array | undefined;
  #then: Hashed = () => {};
  #address = 0;
  #endBlocks = 0;
  #isInEnd = false;
  /** That lie one behind the other. */
  blocks = 0;

  constructor(number: number, addressOf: AddressOf) {
    this.#number = number;
    this.#addressOf = addressOf;
  }

  get isBusy(): boolean {
    return this.#bytes !== undefined;
  }

  begin(bytes: Uint8Array, then: Hashed, states: Uint32Array): void {
    for (let word = 0; word < 8; word++) states[word * streams + this.#number] = beginning[word]!;
    this.#bytes = bytes;
    this.#then = then;
    this.blocks = Math.floor(bytes.length / blockBytes);
    this.#address = bytes.length === 0 ? 0 : this.#addressOf(bytes);
    this.#isInEnd = false;
    this.#makeEnd(bytes);
    if (this.blocks === 0) this.#enterEnd();
  }

  drop(): void {
    this.#bytes = undefined;
  }

  describe(descriptions: Uint32Array, blocks: number): void {
    const at = this.#number * 4;
    descriptions[at] = this.#address % 2 ** 32;
    descriptions[at + 1] = Math.floor(this.#address / 2 ** 32);
    descriptions[at + 2] = blocks;
  }

  advance(blocks: number, states: Uint32Array): void {
    this.#address += blocks * blockBytes;
    this.blocks -= blocks;
    if (this.blocks > 0) return;
    if (!this.#isInEnd) this.#enterEnd();
    else this.#finish(states);
  }

  #makeEnd(bytes: Uint8Array): void {
    const rest = bytes.length % blockBytes;
    this.#endBlocks = rest + 9 > blockBytes ? 2 : 1;
    this.#end.fill(0);
    this.#end.set(bytes.subarray(bytes.length - rest), 0);
    this.#end[rest] = 0x80;
    const bits = bytes.length * 8;
    const at = this.#endBlocks * blockBytes - 8;
    this.#end.writeUInt32BE(Math.floor(bits / 2 ** 32), at);
    this.#end.writeUInt32BE(bits % 2 ** 32, at + 4);
  }

  #enterEnd(): void {
    this.#isInEnd = true;
    this.#address = this.#addressOf(this.#end);
    this.blocks = this.#endBlocks;
  }

  #finish(states: Uint32Array): void {
    for (let word = 0; word < 8; word++) this.#id.writeUInt32BE(states[word * streams + this.#number]!, word * 4);
    this.#bytes = undefined;
    this.#then(this.#id);
  }
}
