import { type Declare, fromLibrary } from './native-library.ts';
import { release } from './release.ts';

/** zstd with contexts that are used again and again: making one costs more than to compress a small blob. */
export interface Libzstd {
  /** The compressed form, valid until the next call; undefined when it fails. */
  compress(plain: Uint8Array, level: number): Uint8Array | undefined;
  /** Whether these bytes decompressed to exactly fill `into`. */
  decompress(compressed: Uint8Array, into: Uint8Array): boolean;
}

let loaded: { readonly library: Libzstd | undefined } | undefined;

/**
 * The zstd that Node brings; once per thread. Undefined where its functions cannot be called, or are too old. Never the
 * system's library: as Node exports the same names, its calls to itself would end up in Node's version, with contexts of
 * another layout.
 */
export function libzstd(): Libzstd | undefined {
  loaded ??= { library: fromLibrary(null, makeLibzstd) };
  return loaded.library;
}

/** 1.4.1 mended corruption by the compressor; from 1.4.0 on the functions are there for good. */
const oldestVersion = 1_04_04;
const compressionLevel = 100; // ZSTD_c_compressionLevel

function makeLibzstd(declare: Declare): Libzstd | undefined {
  if (declare('unsigned int ZSTD_versionNumber()')() < oldestVersion) return undefined;
  const setParameter = declare('size_t ZSTD_CCtx_setParameter(void *, int, int)');
  const compress = declare('size_t ZSTD_compress2(void *, void *, size_t, const void *, size_t)');
  const decompress = declare('size_t ZSTD_decompressDCtx(void *, void *, size_t, const void *, size_t)');
  const [compressor, decompressor] = [declare('void *ZSTD_createCCtx()')(), declare('void *ZSTD_createDCtx()')()];
  if (compressor === null || decompressor === null) return undefined;
  let output = Buffer.alloc(0);
  return {
    compress(plain, level) {
      const bound = compressBound(plain.length);
      if (output.length < bound) {
        release(output.buffer);
        output = Buffer.allocUnsafeSlow(Math.max(bound, 2 * output.length));
      }
      if (setParameter(compressor, compressionLevel, level) > maxResult) return undefined;
      const length = Number(compress(compressor, output, output.length, plain, plain.length));
      return length <= output.length ? output.subarray(0, length) : undefined;
    },
    decompress: (compressed, into) =>
      Number(decompress(decompressor, into, into.length, compressed, compressed.length)) === into.length,
  };
}

/** Failures are the largest numbers. */
const maxResult = 2 ** 40;

/** zstd's worst case for one frame. */
export function compressBound(length: number): number {
  return Math.max(64, length + (length >> 8) + 512);
}
