import type { Content } from '../driver/index.ts';
import type { BlobFetcher } from './blob-fetcher.ts';
import type { BlobLocation } from './blob-index.ts';
import { idBytes, toHex } from './format/blob-id.ts';
import { unindexedBlob } from './format/damage.ts';
import { sealBytes } from './format/sealer.ts';
import type { ScatterDamage } from './scatter-damage.ts';
import type { LostBlobs } from './threads/messages.ts';

/** Gaps up to this size are read over: cheaper than one more request. */
const maxGapBytes = 64 * 1024;
/** What one request brings, unless a blob is larger: two of them a thread are in memory. */
export const fetchBytes = 4 * 1024 * 1024;

/** A blob, the place to read it from, and where it goes. */
export interface Wanted {
  readonly id: Uint8Array;
  readonly place: BlobLocation;
  readonly targets: { file: number; offset: number }[];
}

/** A range of a pack to fetch. */
export interface Fetch {
  readonly pack: Uint8Array;
  readonly offset: number;
  length: number;
  readonly wanted: Wanted[];
}

export interface ScatterPlan {
  /** In the order of the packs' first use. */
  readonly fetches: Fetch[];
  /** Blobs that no index names, and what cannot be placed for want of them. */
  readonly lost: LostBlobs[];
}

interface Blob {
  readonly id: Uint8Array;
  wanted: Wanted | undefined;
}

/** Which ranges of which packs to read for these files. Counts the blobs of each in `remaining`. */
export async function planScatter(
  fetcher: BlobFetcher,
  files: readonly { content: Content }[],
  remaining: Int32Array,
  damage: ScatterDamage,
): Promise<ScatterPlan> {
  const known = new Map<string, Blob>();
  const blobs = files.map(({ content }) => blobsOf(content, known));
  await locateAll(fetcher, [...known.values()]);
  const lost: LostBlobs[] = [];
  for (const [file, { content }] of files.entries()) {
    remaining[file] = blobs[file]!.length;
    const unplaced = placeBlobs(file, blobs[file]!, content.sizeBytes, damage);
    if (unplaced > 0) lost.push({ file, blobs: unplaced });
  }
  return { fetches: fetchesOf(known.values()), lost };
}

function blobsOf({ blobs: ids }: Content, known: Map<string, Blob>): Blob[] {
  const blobs: Blob[] = [];
  for (let at = 0; at < ids.length; at += idBytes) {
    const id = ids.subarray(at, at + idBytes);
    const key = Buffer.from(id.buffer, id.byteOffset, idBytes).toString('latin1');
    let blob = known.get(key);
    if (blob === undefined) {
      blob = { id: new Uint8Array(id), wanted: undefined };
      known.set(key, blob);
    }
    blobs.push(blob);
  }
  return blobs;
}

async function locateAll(fetcher: BlobFetcher, blobs: readonly Blob[]): Promise<void> {
  const missing = blobs.filter((blob) => !locate(fetcher, blob));
  if (missing.length === 0) return;
  await fetcher.searchLost();
  for (const blob of missing) locate(fetcher, blob);
}

function locate(fetcher: BlobFetcher, blob: Blob): boolean {
  const place = fetcher.find('data', blob.id);
  if (place !== undefined) blob.wanted = { id: blob.id, place, targets: [] };
  return place !== undefined;
}

/**
 * Gives every blob its offset in the file: counted from the start, and behind a blob of unknown length from the end.
 * Gives how many cannot be placed: those of no index, and what lies between two of them.
 */
function placeBlobs(file: number, blobs: readonly Blob[], sizeBytes: number, damage: ScatterDamage): number {
  let first = 0;
  let offset = 0;
  for (; first < blobs.length && blobs[first]!.wanted !== undefined; first++) {
    const { place, targets } = blobs[first]!.wanted!;
    targets.push({ file, offset });
    offset += plainLength(place);
  }
  if (first === blobs.length) {
    if (offset !== sizeBytes) damage.add(file, `its blobs add up to ${offset} bytes, not ${sizeBytes}`);
    return 0;
  }
  let end = blobs.length;
  for (let tail = sizeBytes; blobs[end - 1]!.wanted !== undefined; end--) {
    const { place, targets } = blobs[end - 1]!.wanted!;
    tail -= plainLength(place);
    if (tail < offset) break;
    targets.push({ file, offset: tail });
  }
  for (const blob of blobs.slice(first, end)) {
    if (blob.wanted === undefined) damage.add(file, unindexedBlob('data', blob.id).message);
  }
  return end - first;
}

function fetchesOf(blobs: Iterable<Blob>): Fetch[] {
  const packs = new Map<string, Wanted[]>();
  for (const { wanted } of blobs) {
    if (wanted === undefined || wanted.targets.length === 0) continue;
    const pack = toHex(wanted.place.pack);
    const inPack = packs.get(pack);
    if (inPack === undefined) packs.set(pack, [wanted]);
    else inPack.push(wanted);
  }
  return [...packs.values()].flatMap(joinNeighbours);
}

function joinNeighbours(wanted: Wanted[]): Fetch[] {
  wanted.sort((a, b) => a.place.offset - b.place.offset);
  const fetches: Fetch[] = [];
  let last: Fetch | undefined;
  for (const one of wanted) {
    const { pack, offset, length } = one.place;
    const end = offset + length;
    if (last === undefined || offset > last.offset + last.length + maxGapBytes || end - last.offset > fetchBytes) {
      last = { pack, offset, length: 0, wanted: [] };
      fetches.push(last);
    }
    last.length = end - last.offset;
    last.wanted.push(one);
  }
  return fetches;
}

function plainLength(place: BlobLocation): number {
  return place.plainBytes ?? place.length - sealBytes;
}
