import type { Counted } from './policy.ts';

/** What keeps a backup, and at the end what lets it go. */
export type ReasonRule =
  | Counted
  | 'within'
  | 'recovery'
  | 'minimum'
  /** The newest that lacks nothing. */
  | 'last-good'
  /** Partial, and no good backup has come since. */
  | 'partial'
  | 'pinned'
  | 'restoring'
  /** It says that it is from a time that has not come yet. */
  | 'future'
  | 'no-policy'
  /** Its plan is not applied: orphaned, or found by an import. */
  | 'no-plan'
  /** An import found it, and it does not show what its plan backs up: another catalog may count on it. */
  | 'elsewhere'
  /** Another snapshot of the same backup counts. */
  | 'twin'
  /** The catalog knows it, and the repository has it no more: it must not stand for those that are there. */
  | 'lost'
  | 'expiring'
  | 'nothing';

export interface Reason {
  readonly rule: ReasonRule;
  /** Of rules that count periods: `2026-11-24`, `2026-11-24 13h`, `2026-W48`, `2026-11`, `2026`. */
  readonly period?: string;
  /** One line, lower case, no final stop: `daily 2026-11-24`. */
  readonly text: string;
}

/** What becomes of one backup. `reasons` has at least one, and all that there are. */
export interface Decision<Backup> {
  readonly backup: Backup;
  readonly keep: boolean;
  readonly reasons: readonly Reason[];
}
