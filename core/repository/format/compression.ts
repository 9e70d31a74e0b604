import zlib from 'node:zlib';
import { TidemarkError } from '../../error.ts';
import { compressBound, libzstd } from './libzstd.ts';
import { release } from './release.ts';

const { ZSTD_c_compressionLevel, ZSTD_c_contentSizeFlag } = zlib.constants;

/**
 * zstd at the level where this machine's hashing, not compression, sets the pace. Node takes -1 for "not set", so the
 * fast levels start at -2.
 */
export const defaultLevel = 1;

/** The compressed form, valid until the next call. By Node's zstd, called directly where that can be. */
export function compress(plain: Uint8Array, level: number = defaultLevel): Uint8Array {
  return libzstd()?.compress(plain, level) ?? untilNext(compressBuiltIn(plain, level));
}

let last: Buffer | undefined;

function untilNext(compressed: Buffer): Buffer {
  if (last !== undefined) release(last.buffer);
  last = compressed;
  return compressed;
}

/** By Node's zstd, in one allocation. */
export function compressBuiltIn(plain: Uint8Array, level: number = defaultLevel): Buffer {
  return zlib.zstdCompressSync(plain, {
    chunkSize: compressBound(plain.length),
    pledgedSrcSize: plain.length,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_contentSizeFlag]: 1 },
  });
}

/** Throws REPOSITORY_CORRUPT when it does not decompress to exactly fill `into`. */
export function decompressInto(compressed: Uint8Array, into: Uint8Array): void {
  if (libzstd()?.decompress(compressed, into)) return;
  const plain = decompress(compressed, into.length); // which says what is wrong
  into.set(plain);
  release(plain.buffer);
}

/** By Node's zstd. Throws REPOSITORY_CORRUPT when it does not decompress to exactly `plainBytes` (when given). */
export function decompress(compressed: Uint8Array, plainBytes?: number): Buffer<ArrayBuffer> {
  const limit = plainBytes ?? maxUnpackedBytes;
  try {
    const plain = zlib.zstdDecompressSync(compressed, {
      chunkSize: Math.max(64, plainBytes ?? (toldBytes(compressed) ?? compressed.length * 4) + 1),
      maxOutputLength: Math.max(1, limit),
    });
    if (plainBytes === undefined || plain.length === plainBytes) return plain;
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'an object does not decompress', { cause });
  }
  throw new TidemarkError('REPOSITORY_CORRUPT', 'an object decompresses to a wrong length');
}

const maxUnpackedBytes = 2 ** 31;

/**
 * How long the content of a zstd frame is by its header, where that says so: memory of that size is filled once, and a
 * little more of it tells that this was all. Source: RFC 8878, 3.1.1.1. Undefined, too, for a length that damage may have
 * made up.
 */
function toldBytes(frame: Uint8Array): number | undefined {
  if (frame.length < 18) return undefined;
  const header = Buffer.from(frame.buffer, frame.byteOffset, 18);
  const descriptor = header[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const told = [isSingleSegment ? header[at]! : undefined, header.readUInt16LE(at) + 256, header.readUInt32LE(at)];
  const bytes = told[descriptor >> 6];
  return bytes === undefined || bytes > largestToldBytes ? undefined : bytes;
}

const largestToldBytes = 2 ** 28;
