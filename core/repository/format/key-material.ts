import crypto from 'node:crypto';

/** The two keys of a repository or a password: AES-256-CTR encrypts, Poly1305-AES authenticates (`k`, `r`: 16 bytes). */
export interface KeyMaterial {
  readonly encrypt: Uint8Array;
  readonly macK: Uint8Array;
  readonly macR: Uint8Array;
}

export function newKeyMaterial(): KeyMaterial {
  const macR = clamp(crypto.randomBytes(16));
  return { encrypt: crypto.randomBytes(32), macK: crypto.randomBytes(16), macR };
}

/** `r` as Poly1305 uses it. */
export function clamp(r: Uint8Array): Buffer {
  const clamped = Buffer.from(r);
  for (const at of [3, 7, 11, 15]) clamped[at] = clamped[at]! & 15;
  for (const at of [4, 8, 12]) clamped[at] = clamped[at]! & 252;
  return clamped;
}
