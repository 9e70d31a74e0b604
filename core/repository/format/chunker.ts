import { maxBlobBytes, minBlobBytes } from '../../driver/index.ts';

/**
 * Content-defined chunking with a gear hash (W. Xia et al., "FastCDC", USENIX ATC 2016): a cut lies behind every byte
 * where the rolling hash of the last 32 bytes has its top bits zero. The first `minBytes` of a chunk are not looked at.
 */
export const minBytes = minBlobBytes;
export const maxBytes = maxBlobBytes;
/** Bytes that the hash looks back on. */
export const windowBytes = 32;
/** 19 bits: half a mebibyte on average behind the minimum, so about 1 MiB a chunk. */
const cutMask = 0xffff_e000 | 0;

const gear = gearTable();

/** End of the first chunk of `bytes` from `start`: a cut, or `maxBytes` on, or the end of the bytes. */
export function nextCut(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + maxBytes);
  if (end - start <= minBytes) return end;
  return findCut(bytes, start + minBytes, limit);
}

/** The first cut at or behind `from`, by content alone; `limit` where there is none before. */
export function findCut(bytes: Uint8Array, from: number, limit: number): number {
  let hash = 0;
  for (let at = Math.max(0, from - windowBytes); at < from; at++) hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
  for (let at = from; at < limit; at++) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
    if ((hash & cutMask) === 0) return at + 1;
  }
  return limit;
}

/** 256 fixed numbers without structure (splitmix32 from a constant): changing them loses deduplication, not data. */
function gearTable(): Int32Array {
  let state = 0x7469_6465;
  return Int32Array.from({ length: 256 }, () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return mixed ^ (mixed >>> 15);
  });
}
