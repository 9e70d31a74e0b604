import crypto from 'node:crypto';
import { TidemarkError } from '../../error.ts';
import { builtInCipher, type Cipher } from './cipher.ts';
import type { KeyMaterial } from './key-material.ts';
import { openSsl } from './openssl.ts';

export { type KeyMaterial, newKeyMaterial } from './key-material.ts';

export const ivBytes = 16;
export const macBytes = 16;
/** What sealing adds to a plain text. */
export const sealBytes = ivBytes + macBytes;

/**
 * Seals as restic's design document says: `IV(16) || AES-256-CTR(plain) || Poly1305-AES(cipher text)(16)`, where the
 * Poly1305 key is `clamp(r) || AES-128(k, IV)` (D. J. Bernstein, "The Poly1305-AES message-authentication code").
 */
export class Sealer {
  readonly #cipher: Cipher;
  readonly #mac = Buffer.alloc(macBytes);
  #randomness = Buffer.alloc(0);
  #brief = Buffer.alloc(0);

  constructor(key: KeyMaterial, cipher: (key: KeyMaterial) => Cipher = cipherOf) {
    this.#cipher = cipher(key);
  }

  /** Writes the sealed form of `plain` at `offset` of `into`, which must have room; gives its length. */
  sealInto(plain: Uint8Array, into: Buffer, offset: number): number {
    const iv = this.#newIv();
    const start = offset + ivBytes;
    const end = start + plain.length;
    iv.copy(into, offset);
    const cipherText = into.subarray(start, end);
    this.#cipher.crypt(plain, iv, cipherText);
    this.#cipher.authenticate(cipherText, iv, into.subarray(end, end + macBytes));
    return plain.length + sealBytes;
  }

  seal(plain: Uint8Array): Buffer {
    const sealed = Buffer.allocUnsafe(plain.length + sealBytes);
    this.sealInto(plain, sealed, 0);
    return sealed;
  }

  /** The plain text in a buffer of its own. Throws REPOSITORY_CORRUPT when the authentication code does not fit. */
  open(sealed: Uint8Array): Buffer<ArrayBuffer> {
    const plain = Buffer.allocUnsafeSlow(Math.max(0, sealed.length - sealBytes));
    this.openInto(sealed, plain);
    return plain;
  }

  /** As `open`, in memory of the sealer's own: valid until the next call. */
  openBriefly(sealed: Uint8Array): Uint8Array {
    if (this.#brief.length < sealed.length) this.#brief = Buffer.allocUnsafeSlow(Math.max(sealed.length, 64 * 1024));
    return this.#brief.subarray(0, this.openInto(sealed, this.#brief));
  }

  /** As `open`, to the beginning of `into`, which must have room; gives the length of the plain text. */
  openInto(sealed: Uint8Array, into: Uint8Array): number {
    if (sealed.length < sealBytes) throw new TidemarkError('REPOSITORY_CORRUPT', 'a sealed object is cut short');
    const iv = sealed.subarray(0, ivBytes);
    const cipherText = sealed.subarray(ivBytes, sealed.length - macBytes);
    this.#cipher.authenticate(cipherText, iv, this.#mac);
    if (!crypto.timingSafeEqual(this.#mac, sealed.subarray(sealed.length - macBytes))) {
      throw new TidemarkError('REPOSITORY_CORRUPT', 'a sealed object fails its authentication code');
    }
    this.#cipher.crypt(cipherText, iv, into);
    return cipherText.length;
  }

  #newIv(): Buffer {
    if (this.#randomness.length < ivBytes) this.#randomness = crypto.randomBytes(4096);
    const iv = this.#randomness.subarray(0, ivBytes);
    this.#randomness = this.#randomness.subarray(ivBytes);
    return iv;
  }
}

/**
 * By the OpenSSL that Node brings, called directly: it writes where the bytes are wanted and takes a quarter of the time.
 * Where its functions cannot be called, by what Node and sodium-native offer.
 */
function cipherOf(key: KeyMaterial): Cipher {
  return openSsl()?.cipher(key) ?? builtInCipher(key);
}
