import { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { lengthBytes } from '../format/pack.ts';
import { reaches } from '../reach.ts';

/** The first places of blobs that no pack of the store can have: `sizes` by the packs' numbers, 0 for one that is gone. */
export function goneOf(index: BlobIndex, sizes: Float64Array): number[] {
  const bad = new Bits();
  for (const { pack, endBytes } of index.packEnds()) {
    const number = index.packNumber(pack)!;
    if (sizes[number]! < endBytes + lengthBytes) bad.set(number);
  }
  const gone = new Set<number>();
  for (let place = 0; place < index.count; place++) {
    if (!bad.has(index.packOf(place))) continue;
    const places = index.placesOf(index.keyAt(place));
    if (!places.some((one) => reaches(index, sizes, one))) gone.add(places[0]!);
  }
  return [...gone];
}
