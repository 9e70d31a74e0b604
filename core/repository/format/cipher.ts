import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type Sodium from 'sodium-native';
import { clamp, type KeyMaterial } from './key-material.ts';
import { release } from './release.ts';

/** What sealing is made of, with one key. */
export interface Cipher {
  /** AES-256-CTR, either direction: of `from`, to the beginning of `into`, which must not overlap and has room. */
  crypt(from: Uint8Array, iv: Uint8Array, into: Uint8Array): void;
  /** Poly1305-AES of a cipher text, into `mac`. */
  authenticate(cipherText: Uint8Array, iv: Uint8Array, mac: Uint8Array): void;
}

/** With what Node and sodium-native offer. */
export function builtInCipher({ encrypt, macK, macR }: KeyMaterial): Cipher {
  const sodium = createRequire(import.meta.url)('sodium-native') as typeof Sodium;
  const counterCipher = crypto.createCipheriv('aes-256-ecb', encrypt, null).setAutoPadding(false);
  const nonceCipher = crypto.createCipheriv('aes-128-ecb', macK, null).setAutoPadding(false);
  const counters = Buffer.alloc(smallBytes + 16);
  const macKey = Buffer.alloc(32);
  clamp(macR).copy(macKey, 0);

  const cryptSmall = (from: Uint8Array, iv: Uint8Array, into: Uint8Array) => {
    const length = (from.length + 15) & ~15;
    fillCounters(counters, iv, length);
    const stream = counterCipher.update(counters.subarray(0, length));
    for (let at = 0; at < from.length; at++) into[at] = from[at]! ^ stream[at]!;
  };
  return {
    /** Making a cipher object costs more than encrypting a small blob, so those share one. */
    crypt(from, iv, into) {
      if (from.length <= smallBytes) return cryptSmall(from, iv, into);
      const crypted = crypto.createCipheriv('aes-256-ctr', encrypt, iv).update(from);
      into.set(crypted);
      release(crypted.buffer);
    },
    authenticate(cipherText, iv, mac) {
      nonceCipher.update(iv).copy(macKey, 16);
      sodium.crypto_onetimeauth(mac, cipherText, macKey);
    },
  };
}

const smallBytes = 16 * 1024;

/** The counter blocks of CTR mode: the IV as a 128-bit big-endian number, counting up. */
function fillCounters(counters: Buffer, iv: Uint8Array, length: number): void {
  counters.set(iv, 0);
  for (let block = 16; block < length; block += 16) {
    counters.copyWithin(block, block - 16, block);
    for (let at = block + 15; at >= block; at--) {
      counters[at] = (counters[at]! + 1) & 255;
      if (counters[at] !== 0) break;
    }
  }
}
