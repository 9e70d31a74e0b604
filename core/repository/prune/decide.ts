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

/** By number of the pack. */
export type PackCounts = Pick<PackUse, 'usedBytes' | 'usedBlobs' | 'blobBytes' | 'hasTrees'>;

export interface DecideOptions {
  readonly maxUnused: MaxUnused;
  /** Room is wanted: nothing is written anew that frees nothing. */
  readonly now: boolean;
  /** By number of the pack. */
  readonly isRunning: (pack: number) => boolean;
  readonly isMarked: (pack: number) => boolean;
  readonly isRipe: (pack: number) => boolean;
}

/** restic's: fewer small packs are not worth the work, and larger ones than a twenty-fifth of what is aimed at are not small. */
const fewestSmall = 10;
const smallBytes = targetBytes / 25;
/** Of small packs, which stand twice until the grace period is over, one run puts together this share of all, or so much. */
const smallShare = 0.02;
const smallLeastBytes = 64 * 1024 * 1024;
/** Trees are read often, so their packs are written anew below the limit, too, where at least this share of one is unused. */
const treeShare = 0.5;
/** Header entries are a little shorter where blobs are not compressed. */
const headerBytes = 36;
const entryBytes = 41;

/** The number of the verdict on each pack of the index. Pure. */
export function decide(
  index: Pick<BlobIndex, 'packCount'>,
  use: PackCounts,
  sizes: Float64Array,
  options: DecideOptions,
): Uint8Array {
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
  if (!options.now) decideSmall(decided, small, use, sizes);
  return decided;
}

/** The smallest first. What they come to must not be small again by much: a run that frees nothing must be cheap. */
function decideSmall(decided: Uint8Array, packs: readonly number[], use: PackCounts, sizes: Float64Array): void {
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let left = Math.max(smallLeastBytes, total * smallShare);
  for (const trees of [1, 0]) {
    const alike = packs.filter((pack) => use.hasTrees[pack] === trees).sort((a, b) => sizes[a]! - sizes[b]!);
    if (alike.length < fewestSmall) continue;
    for (const pack of alike) {
      left -= sizes[pack]!;
      if (left >= 0) decided[pack] = verdictNumber('small');
    }
  }
}

/** What is unused of a pack, as far as the index knows its blobs, or its size tells. */
export function wasteBytes(pack: number, { usedBytes, usedBlobs, blobBytes }: PackCounts, sizes: Float64Array): number {
  const known = blobBytes[pack]! - usedBytes[pack]!;
  const bySize = sizes[pack]! - usedBytes[pack]! - headerBytes - entryBytes * usedBlobs[pack]!;
  return Math.max(0, known, bySize);
}

/** For a pack about which waste decides nothing. */
function certain(
  pack: number,
  { usedBlobs }: PackCounts,
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

/** Those first that waste most of what they are: they free most for what is written anew. */
function decidePartly(
  decided: Uint8Array,
  packs: number[],
  use: PackCounts,
  sizes: Float64Array,
  maxUnused: MaxUnused,
): void {
  const waste = (pack: number) => wasteBytes(pack, use, sizes);
  const share = (pack: number) => waste(pack) / sizes[pack]!;
  packs.sort((a, b) => share(b) - share(a) || use.hasTrees[b]! - use.hasTrees[a]!);
  let left = packs.reduce((sum, pack) => sum + waste(pack), 0);
  const limit = unusedLimitBytes(
    maxUnused,
    use.usedBytes.reduce((sum, bytes) => sum + bytes, 0),
  );
  for (const pack of packs) {
    const enough = left <= limit && !(use.hasTrees[pack] === 1 && share(pack) >= treeShare);
    decided[pack] = verdictNumber(enough ? 'unused part is small enough' : 'partly unused');
    if (!enough) left -= waste(pack);
  }
}
