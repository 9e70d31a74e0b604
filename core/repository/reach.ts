import type { BlobIndex } from './blob-index.ts';
import { lengthBytes } from './format/pack.ts';

/**
 * Whether the pack of a place is there and long enough to have the blob: all that can be known without reading it. `sizes`
 * by the packs' numbers, 0 for one that is gone.
 */
export function reaches(index: BlobIndex, sizes: Float64Array, place: number): boolean {
  return sizes[index.packOf(place)]! >= index.offsetOf(place) + index.lengthOf(place) + lengthBytes;
}
