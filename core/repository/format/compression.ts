import zlib from 'node:zlib';
import { TidemarkError } from '../../error.ts';

const { ZSTD_c_compressionLevel, ZSTD_c_contentSizeFlag } = zlib.constants;

/**
 * zstd at the level where this machine's hashing, not compression, sets the pace. Node takes -1 for "not set", so the
 * fast levels start at -2.
 */
export const defaultLevel = 1;

/** The compressed form, in one allocation. */
export function compress(plain: Uint8Array, level: number = defaultLevel): Buffer {
  return zlib.zstdCompressSync(plain, {
    chunkSize: compressBound(plain.length),
    pledgedSrcSize: plain.length,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_contentSizeFlag]: 1 },
  });
}

/** Throws REPOSITORY_CORRUPT when it does not decompress to exactly `plainBytes` (when given). */
export function decompress(compressed: Uint8Array, plainBytes?: number): Buffer {
  const limit = plainBytes ?? maxUnpackedBytes;
  try {
    const plain = zlib.zstdDecompressSync(compressed, {
      chunkSize: Math.max(64, plainBytes ?? compressed.length * 4),
      maxOutputLength: Math.max(1, limit),
    });
    if (plainBytes === undefined || plain.length === plainBytes) return plain;
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'an object does not decompress', { cause });
  }
  throw new TidemarkError('REPOSITORY_CORRUPT', 'an object decompresses to a wrong length');
}

const maxUnpackedBytes = 2 ** 31;

/** zstd's worst case for one frame. */
function compressBound(length: number): number {
  return Math.max(64, length + (length >> 8) + 512);
}
