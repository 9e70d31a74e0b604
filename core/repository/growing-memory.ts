import { hasLimitedAddressSpace } from './address-space.ts';

/** Address space that a table may come to take; pages are taken from the machine when they are first written. */
const reservedBytes = 2 ** 33;

/**
 * Shared memory that grows where it lies, so that a table that grows is never there twice. Views of it have a length of
 * their own and are made anew after `grow`: those that follow the buffer's length make lookups three times as slow.
 */
export class GrowingMemory {
  #buffer: SharedArrayBuffer;

  constructor(sizeBytes: number) {
    this.#buffer = reserved(sizeBytes);
  }

  get sizeBytes(): number {
    return this.#buffer.byteLength;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer, 0, this.sizeBytes);
  }

  /** As 32-bit numbers. */
  words(): Uint32Array {
    return new Uint32Array(this.#buffer, 0, this.sizeBytes / 4);
  }

  /** What is new is zero. Views of before are of no use any more. Throws RangeError. */
  grow(sizeBytes: number): void {
    if (this.#buffer.growable && sizeBytes <= this.#buffer.maxByteLength) this.#buffer.grow(sizeBytes);
    else this.#move(sizeBytes);
  }

  #move(sizeBytes: number): void {
    const before = this.bytes();
    this.#buffer = reserved(sizeBytes);
    this.bytes().set(before);
  }
}

/** Where a limit of the process (`ulimit -v`) leaves no room to reserve, memory of just this size. */
function reserved(sizeBytes: number): SharedArrayBuffer {
  if (hasLimitedAddressSpace()) return new SharedArrayBuffer(sizeBytes);
  try {
    return new SharedArrayBuffer(sizeBytes, { maxByteLength: Math.max(reservedBytes, sizeBytes) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new SharedArrayBuffer(sizeBytes);
  }
}
