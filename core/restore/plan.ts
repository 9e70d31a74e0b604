import type { Selection } from '../driver/index.ts';

/** What somebody wants back. */
export interface RestoreWish extends RestoreOptions {
  /** Whose backup. Left out where `backup` says it. */
  readonly source?: string;
  /** This backup: an id, or an unambiguous part of one. */
  readonly backup?: string;
  /** Only a backup of this plan. */
  readonly plan?: string;
  /** The second that the restored data must show; without it the newest. */
  readonly at?: Date;
}

export interface RestoreOptions {
  readonly target: RestoreTarget;
  /** Patterns of what to restore; empty means all. */
  readonly only: readonly string[];
  readonly overwrite: boolean;
  readonly verify: boolean;
  readonly keepDamaged: boolean;
}

/** A folder (absolute), for any backup; or a declared source of the same driver. */
export type RestoreTarget = { readonly folder: string } | { readonly source: string };

/**
 * A restore, decided: made once, shown, kept with the job, and executed as it stands. Plain data that JSON carries. A
 * way from the backup to a later second, through archived logs, will stand beside `backup`.
 */
export interface RestorePlan extends RestoreOptions {
  readonly backup: PlannedBackup;
  /** Which backup was chosen and why, for people: `the newest`. */
  readonly why: string;
  /** What else could have been meant: newer than the chosen one, or as good. Newest first. */
  readonly alternatives: readonly Alternative[];
}

/** The one copy of the one backup that is read. */
export interface PlannedBackup {
  readonly id: string;
  readonly destination: string;
  readonly snapshot: string;
  readonly plan: string;
  readonly source: string;
  readonly driver: string;
  /** The moment that it shows, ISO 8601. */
  readonly consistentAt: string;
  readonly partial: boolean;
}

export interface Alternative {
  readonly backup: PlannedBackup;
  /** What tells it from the chosen one, for people. */
  readonly why: string;
  /** Only a person can say which of the two is meant. */
  readonly isEqual: boolean;
}

/** A backup that may be chosen, as the catalog knows it. */
export interface Candidate extends Omit<PlannedBackup, 'consistentAt'> {
  readonly consistentAt: Date;
  /** What its plan selected when it was made. */
  readonly selection: Selection;
}
