import type { PruneAction, VerdictReason } from './decide.ts';

/** Packs with one verdict. `usedBytes` of them are needed: a repack copies them. */
export interface PackGroup {
  readonly action: PruneAction;
  readonly reason: VerdictReason;
  readonly packs: number;
  readonly bytes: number;
  readonly usedBytes: number;
}

/** Packs that were marked and wait for their time. */
export interface WaitingMark {
  readonly mark: string;
  readonly markedAt: string;
  /** When the grace period is over; then still for those in `waitsFor`. */
  readonly ripeAt: string;
  readonly packs: number;
  readonly bytes: number;
  /** Who works since before it was marked: `user@host, process N, since TIME`. */
  readonly waitsFor: readonly string[];
  /** Its date is still to come: a clock was wrong, and a prune marks its packs anew. */
  readonly isAhead: boolean;
}

/** What a prune would do, as plain data. Bytes are those of pack files, as the store says. */
export interface PruneSummary {
  readonly snapshots: number;
  readonly packs: number;
  readonly bytes: number;
  /** Of the blobs that snapshots need, each once. */
  readonly usedBytes: number;
  /** Every pack is in one of them. */
  readonly groups: readonly PackGroup[];
  readonly waiting: readonly WaitingMark[];
  /** Of packs that are deleted by this run. */
  readonly removeBytes: number;
  /** Of packs that are marked by this run, those that are repacked among them; a later run deletes them. */
  readonly markBytes: number;
  /** What is written anew for the packs that are repacked. */
  readonly copyBytes: number;
  /** By how much less is stored when all of that is done: what is removed and marked, without what is written anew. */
  readonly netBytes: number;
  /** What is left on the destination; left out where that is not known. */
  readonly freeBytes?: number;
  /** There is less, also with what goes first, than the copies take: then nothing is written anew, and what needs no copies is done. */
  readonly lacksRoom?: { readonly neededBytes: number; readonly freeBytes: number };
}

/** What a prune has done. */
export interface PruneResult {
  readonly removedPacks: number;
  readonly removedBytes: number;
  readonly markedPacks: number;
  readonly markedBytes: number;
  readonly copiedBytes: number;
  /** By how much less is stored than before: below 0 where more was written anew than could be removed yet. */
  readonly netBytes: number;
  /** Marks, dated in the future, whose packs were marked anew. */
  readonly markedAnew: number;
  /** Nothing was written anew, because there is no room for it. */
  readonly lacksRoom?: { readonly neededBytes: number; readonly freeBytes: number };
  /** For how long nobody could begin, while packs were taken out of the index; left out where that was not done. */
  readonly gateMs?: number;
  /** Ripe packs that something needs again: they stay. */
  readonly rescuedPacks: number;
  /** Why nothing was removed although something could be: who was there. A later run does it. */
  readonly heldUpBy: string | undefined;
}
