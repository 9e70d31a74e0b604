import type { Store } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import type { BlobIndex } from './blob-index.ts';
import { toHex } from './format/blob-id.ts';
import { ifCorrupt } from './format/damage.ts';
import { release } from './format/release.ts';
import { packName } from './pack-name.ts';

/** What lies between two wanted blobs is read with them up to this much: a request costs as much. */
const gapBytes = 64 * 1024;
const maxRunBytes = 8 * 1024 * 1024;
const runsAtOnce = 3;

interface Run {
  readonly places: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Gets the sealed bytes of a place, gone when it returns; undefined where the pack does not give them. */
type Found = (place: number, sealed: Uint8Array | undefined) => void | Promise<void>;

/**
 * Reads the blobs at many places, those of one pack that lie near each other in one request, in no order. Memory: a few
 * runs of 8 MiB. Throws what the store throws, and what `found` does.
 */
export async function readPlaces(
  { store, index }: { readonly store: Store; readonly index: BlobIndex },
  places: Uint32Array,
  signal: AbortSignal,
  found: Found,
): Promise<void> {
  const runs = runsOf(index, places);
  const some = async () => {
    for (const run of runs) await readRun(run); // one that throws ends `runs` for all
  };
  const readRun = async ({ places, offset, length }: Run) => {
    signal.throwIfAborted();
    const pack = index.packId(index.packOf(places[0]!));
    const bytes = await bytesOf(store, pack, offset, length, signal);
    for (const place of places) {
      const at = index.offsetOf(place) - offset;
      const end = at + index.lengthOf(place);
      const whole = bytes !== undefined && end <= bytes.length;
      await found(place, whole ? bytes.subarray(at, end) : await alone(store, index, place, signal));
    }
    if (bytes !== undefined) release(bytes.buffer);
  };
  const all = await Promise.allSettled(Array.from({ length: runsAtOnce }, some));
  for (const one of all) if (one.status === 'rejected') throw one.reason; // nothing of this goes on any more
}

/** When the run did not come: the bad sector may be another's. */
async function alone(
  store: Store,
  index: BlobIndex,
  place: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const length = index.lengthOf(place);
  const bytes = await bytesOf(store, index.packId(index.packOf(place)), index.offsetOf(place), length, signal);
  return bytes?.length === length ? bytes : undefined;
}

async function bytesOf(
  store: Store,
  pack: Uint8Array,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await store.get(packName(toHex(pack)), { offset, length }, signal);
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    return ifCorrupt(error, () => undefined);
  }
}

function* runsOf(index: BlobIndex, places: Uint32Array): Generator<Run> {
  const sorted = places
    .slice()
    .sort((a, b) => index.packOf(a) - index.packOf(b) || index.offsetOf(a) - index.offsetOf(b));
  for (let first = 0; first < sorted.length; ) {
    const offset = index.offsetOf(sorted[first]!);
    let end = offset + index.lengthOf(sorted[first]!);
    let next = first + 1;
    for (; next < sorted.length && isNear(index, sorted[first]!, end, sorted[next]!); next++) {
      end = Math.max(end, index.offsetOf(sorted[next]!) + index.lengthOf(sorted[next]!));
    }
    yield { places: [...sorted.subarray(first, next)], offset, length: end - offset };
    first = next;
  }
}

function isNear(index: BlobIndex, first: number, end: number, next: number): boolean {
  const nextEnd = index.offsetOf(next) + index.lengthOf(next);
  return (
    index.packOf(next) === index.packOf(first) &&
    index.offsetOf(next) - end <= gapBytes &&
    nextEnd - index.offsetOf(first) <= maxRunBytes
  );
}
