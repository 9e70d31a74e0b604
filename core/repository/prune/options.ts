import type { WorkOptions } from '../parts.ts';

/** How much of what is stored may be used by nothing before packs are written anew: `percent` of all that is stored. */
export type MaxUnused = { readonly percent: number } | { readonly bytes: number } | 'unlimited';

export interface PruneOptions {
  readonly maxUnused: MaxUnused;
  /** A pack is deleted so long after it was marked, at the earliest. */
  readonly graceMs: number;
  /** Deletes without marks and grace, which needs an exclusive lock; for a disk that is full. */
  readonly now: boolean;
  /** Ids of snapshots that count as gone: a plan of what comes when they are forgotten. */
  readonly forgetting?: readonly string[];
}

export type PruneWork = WorkOptions;

/** Unused bytes that may stay beside so many used ones; percent as restic's. */
export function unusedLimitBytes(maxUnused: MaxUnused, usedBytes: number): number {
  if (maxUnused === 'unlimited') return Number.POSITIVE_INFINITY;
  if ('bytes' in maxUnused) return maxUnused.bytes;
  const percent = Math.min(maxUnused.percent, 100);
  return percent === 100 ? Number.POSITIVE_INFINITY : (percent / (100 - percent)) * usedBytes;
}
