import type { BlobIndex } from '../blob-index.ts';
import { targetBytes } from '../format/pack.ts';
import { type MaxUnused, unusedLimitBytes } from './options.ts';
import type { PackUse } from './pack-use.ts';

/** What becomes of a pack, and why. Kept as numbers, one for each pack. */
export const verdicts = [
  { action: 'keep', reason: 'used' },
  { action: 'keep', reason: 'unused part is small enough' },
  { action: 'keep', reason: 'a running backup wrote it' },
  { action: 'keep', reason: 'marked, and needed again' },
  { action: 'repack', reason: 'partly unused' },
  { action: 'repack', reason: 'small' },
  { action: 'mark', reason: 'unused' },
  { action: 'mark', reason: 'gone, and not needed' },
  { action: 'mark', reason: 'no index names it' },
  { action: 'wait', reason: 'marked' },
  { action: 'remove', reason: 'marked, and its time is over' },
] as const;

export type Verdict = (typeof verdicts)[number];
export type VerdictReason = Verdict['reason'];
export type PruneAction = Verdict['action'];

export function verdictNumber(reason: VerdictReason): number {
  return verdicts.findIndex((verdict) => verdict.reason === reason);
}

export interface DecideOptions {
  readonly maxUnused: MaxUnused;
  /** By number of the pack. */
  readonly isRunning: (pack: number) => boolean;
  readonly isMarked: (pack: number) => boolean;
  readonly isRipe: (pack: number) => boolean;
}

/** restic's: fewer small packs are not worth the work. */
const fewestSmall = 10;
const smallBytes = targetBytes * 0.8;
/** Header entries are a little shorter where blobs are not compressed. */
const headerBytes = 36;
const entryBytes = 41;

/** The number of the verdict on each pack of the index. Pure. */
export function decide(index: BlobIndex, use: PackUse, sizes: Float64Array, options: DecideOptions): Uint8Array {
  const decided = new Uint8Array(index.packCount);
  const partly: number[] = [];
  const small: number[] = [];
  for (let pack = 0; pack < decided.length; pack++) {
    const reason = certain(pack, use, sizes, options);
    if (reason !== undefined) decided[pack] = verdictNumber(reason);
    else if (wasteBytes(pack, use, sizes) > 0) partly.push(pack);
    else if (sizes[pack]! < smallBytes) small.push(pack);
  }
  decidePartly(decided, partly, use, sizes, options.maxUnused);
  for (const trees of [0, 1]) {
    const alike = small.filter((pack) => use.hasTrees[pack] === trees);
    if (alike.length >= fewestSmall) for (const pack of alike) decided[pack] = verdictNumber('small');
  }
  return decided;
}

/** What is unused of a pack, as far as the index knows its blobs, or its size tells. */
export function wasteBytes(pack: number, { usedBytes, usedBlobs, blobBytes }: PackUse, sizes: Float64Array): number {
  const known = blobBytes[pack]! - usedBytes[pack]!;
  const bySize = sizes[pack]! - usedBytes[pack]! - headerBytes - entryBytes * usedBlobs[pack]!;
  return Math.max(0, known, bySize);
}

/** For a pack about which waste decides nothing. */
function certain(
  pack: number,
  { usedBlobs }: PackUse,
  sizes: Float64Array,
  { isRunning, isMarked, isRipe }: DecideOptions,
): VerdictReason | undefined {
  const needed = usedBlobs[pack]! > 0;
  if (isMarked(pack)) {
    if (needed) return 'marked, and needed again';
    return isRipe(pack) ? 'marked, and its time is over' : 'marked';
  }
  if (isRunning(pack)) return 'a running backup wrote it';
  if (needed) return undefined;
  return sizes[pack]! > 0 ? 'unused' : 'gone, and not needed';
}

/** Packs with trees first: they are small, and read often. Then those that waste most of what they are. */
function decidePartly(
  decided: Uint8Array,
  packs: number[],
  use: PackUse,
  sizes: Float64Array,
  maxUnused: MaxUnused,
): void {
  const waste = (pack: number) => wasteBytes(pack, use, sizes);
  const share = (pack: number) => waste(pack) / sizes[pack]!;
  packs.sort((a, b) => use.hasTrees[b]! - use.hasTrees[a]! || share(b) - share(a));
  let left = packs.reduce((sum, pack) => sum + waste(pack), 0);
  const limit = unusedLimitBytes(
    maxUnused,
    use.usedBytes.reduce((sum, bytes) => sum + bytes, 0),
  );
  for (const pack of packs) {
    const enough = left <= limit && use.hasTrees[pack] === 0;
    decided[pack] = verdictNumber(enough ? 'unused part is small enough' : 'partly unused');
    if (!enough) left -= waste(pack);
  }
}
