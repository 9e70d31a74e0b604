import crypto from 'node:crypto';
import { blobIdBytes } from '../../driver/index.ts';

/** The SHA-256 of an object: `idBytes` long. */
export function idOf(bytes: Uint8Array): Buffer {
  return crypto.hash('sha256', bytes, 'buffer');
}

export function toHex(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
}

/** Whether a name is that of an object: its id in hex. Other tools leave half-written files beside them. */
export function isHexId(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

export const idBytes = blobIdBytes;
