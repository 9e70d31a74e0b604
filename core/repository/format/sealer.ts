import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type Sodium from 'sodium-native';
import { TidemarkError } from '../../error.ts';
import { release } from './release.ts';

/** The two keys of a repository or a password: AES-256-CTR encrypts, Poly1305-AES authenticates (`k`, `r`: 16 bytes). */
export interface KeyMaterial {
  readonly encrypt: Uint8Array;
  readonly macK: Uint8Array;
  readonly macR: Uint8Array;
}

export const ivBytes = 16;
export const macBytes = 16;
/** What sealing adds to a plain text. */
export const sealBytes = ivBytes + macBytes;

/**
 * Seals as restic's design document says: `IV(16) || AES-256-CTR(plain) || Poly1305-AES(cipher text)(16)`, where the
 * Poly1305 key is `clamp(r) || AES-128(k, IV)` (D. J. Bernstein, "The Poly1305-AES message-authentication code").
 */
export class Sealer {
  /** Loaded with the first sealer: a daemon that waits for its next run does without. */
  readonly #sodium = createRequire(import.meta.url)('sodium-native') as typeof Sodium;
  readonly #encrypt: Uint8Array;
  readonly #counterCipher: crypto.Cipheriv;
  readonly #nonceCipher: crypto.Cipheriv;
  readonly #macKey = Buffer.alloc(32);
  readonly #counters = Buffer.alloc(smallBytes + 16);
  readonly #mac = Buffer.alloc(macBytes);
  #randomness = Buffer.alloc(0);

  constructor(key: KeyMaterial) {
    this.#encrypt = key.encrypt;
    this.#counterCipher = crypto.createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#nonceCipher = crypto.createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    clamp(key.macR).copy(this.#macKey, 0);
  }

  /** Writes the sealed form of `plain` at `offset` of `into`, which must have room; gives its length. */
  sealInto(plain: Uint8Array, into: Buffer, offset: number): number {
    const iv = this.#newIv();
    const cipherEnd = offset + ivBytes + plain.length;
    iv.copy(into, offset);
    this.#crypt(plain, iv, into, offset + ivBytes);
    this.#authenticate(into.subarray(offset + ivBytes, cipherEnd), iv, into.subarray(cipherEnd, cipherEnd + macBytes));
    return plain.length + sealBytes;
  }

  seal(plain: Uint8Array): Buffer {
    const sealed = Buffer.allocUnsafe(plain.length + sealBytes);
    this.sealInto(plain, sealed, 0);
    return sealed;
  }

  /** The plain text in a buffer of its own. Throws REPOSITORY_CORRUPT when the authentication code does not fit. */
  open(sealed: Uint8Array): Buffer<ArrayBuffer> {
    if (sealed.length < sealBytes) throw new TidemarkError('REPOSITORY_CORRUPT', 'a sealed object is cut short');
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
    const iv = bytes.subarray(0, ivBytes);
    const cipherText = bytes.subarray(ivBytes, bytes.length - macBytes);
    this.#authenticate(cipherText, iv, this.#mac);
    if (!crypto.timingSafeEqual(this.#mac, bytes.subarray(bytes.length - macBytes))) {
      throw new TidemarkError('REPOSITORY_CORRUPT', 'a sealed object fails its authentication code');
    }
    const plain = Buffer.allocUnsafeSlow(cipherText.length);
    this.#crypt(cipherText, iv, plain, 0);
    return plain;
  }

  /** AES-CTR, either direction. Making a cipher object costs more than encrypting a small blob, so those share one. */
  #crypt(from: Uint8Array, iv: Buffer, into: Buffer, offset: number): void {
    if (from.length > smallBytes) {
      const crypted = crypto.createCipheriv('aes-256-ctr', this.#encrypt, iv).update(from);
      crypted.copy(into, offset);
      release(crypted.buffer);
    } else {
      this.#cryptSmall(from, iv, into, offset);
    }
  }

  #cryptSmall(from: Uint8Array, iv: Buffer, into: Buffer, offset: number): void {
    const length = (from.length + 15) & ~15;
    fillCounters(this.#counters, iv, length);
    const stream = this.#counterCipher.update(this.#counters.subarray(0, length));
    for (let at = 0; at < from.length; at++) into[offset + at] = from[at]! ^ stream[at]!;
  }

  #authenticate(cipherText: Buffer, iv: Buffer, mac: Buffer): void {
    this.#nonceCipher.update(iv).copy(this.#macKey, 16);
    this.#sodium.crypto_onetimeauth(mac, cipherText, this.#macKey);
  }

  #newIv(): Buffer {
    if (this.#randomness.length < ivBytes) this.#randomness = crypto.randomBytes(4096);
    const iv = this.#randomness.subarray(0, ivBytes);
    this.#randomness = this.#randomness.subarray(ivBytes);
    return iv;
  }
}

export function newKeyMaterial(): KeyMaterial {
  const macR = clamp(crypto.randomBytes(16));
  return { encrypt: crypto.randomBytes(32), macK: crypto.randomBytes(16), macR };
}

const smallBytes = 16 * 1024;

/** The counter blocks of CTR mode: the IV as a 128-bit big-endian number, counting up. */
function fillCounters(counters: Buffer, iv: Buffer, length: number): void {
  iv.copy(counters, 0);
  for (let block = 16; block < length; block += 16) {
    counters.copyWithin(block, block - 16, block);
    for (let at = block + 15; at >= block; at--) {
      counters[at] = (counters[at]! + 1) & 255;
      if (counters[at] !== 0) break;
    }
  }
}

function clamp(r: Uint8Array): Buffer {
  const clamped = Buffer.from(r);
  for (const at of [3, 7, 11, 15]) clamped[at] = clamped[at]! & 15;
  for (const at of [4, 8, 12]) clamped[at] = clamped[at]! & 252;
  return clamped;
}
