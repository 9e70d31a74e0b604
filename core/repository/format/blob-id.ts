import crypto from 'node:crypto';

/** The SHA-256 of an object: 32 bytes. */
export function idOf(bytes: Uint8Array): Buffer {
  return crypto.hash('sha256', bytes, 'buffer');
}

export function toHex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
}

export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

export const idBytes = 32;
