import crypto from 'node:crypto';
import { blobIdBytes } from '../../driver/index.ts';

/** The SHA-256 of an object: `idBytes` long. */
export function idOf(bytes: Uint8Array): Buffer {
  return crypto.hash('sha256', bytes, 'buffer');
}

export function toHex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
}

export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

export const idBytes = blobIdBytes;
