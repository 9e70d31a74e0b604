import type { Position } from '../diagnostic.ts';

/**
 * The difference between the desired and the applied state, as data: what `tidemark plan` shows and saves, and all that
 * `apply` needs. JSON-serialisable; secrets are in it as references only.
 */
export interface ChangeSet {
  readonly format: 1;
  /** Of the applied state that this was made for. */
  readonly lineage: string;
  readonly serial: number;
  readonly createdAt: string;
  /** Equal for equal changes to the same applied state, whenever they were computed. */
  readonly fingerprint: string;
  /** Refusals; then what is added or changed, what others refer to first; then what is removed, the other way round. */
  readonly actions: readonly Action[];
  readonly summary: ChangeSummary;
}

export interface ChangeSummary {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  readonly refuse: number;
  readonly destructive: number;
}

export const actionKinds = ['refuse', 'add', 'change', 'remove'] as const;
export type ActionKind = (typeof actionKinds)[number];

export interface Action {
  readonly kind: ActionKind;
  readonly address: string;
  /** Why this action: one line, lower case, no final stop. */
  readonly reason: string;
  /** What to do about a refusal. */
  readonly hint?: string;
  /** The address whose state moves here. */
  readonly renamedFrom?: string;
  readonly fields: readonly FieldChange[];
  readonly consequences: readonly Consequence[];
  /** Where the resource stands in the files; none for what is gone from them. */
  readonly position?: Position;
  /** Removes something, shrinks a retention or changes a destination: never applied without a person's consent. */
  readonly destructive: boolean;
  /** What `apply` makes the applied spec, for `add` and `change`. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** `before` or `after` is left out where the field is not there. */
export interface FieldChange {
  readonly path: readonly (string | number)[];
  readonly before?: unknown;
  readonly after?: unknown;
}

export const consequenceKinds = [
  'next-run',
  'next-backup',
  'retention',
  'backups-kept',
  'backups-moved',
  'backups-stranded',
  'credentials',
  'affects',
] as const;
export type ConsequenceKind = (typeof consequenceKinds)[number];

/** What will follow from an action, in words, with the figures behind them. */
export interface Consequence {
  readonly kind: ConsequenceKind;
  /** One line, lower case, no final stop. */
  readonly text: string;
  /** Copies of backups that it is about, and what they restore to. */
  readonly backups?: { readonly copies: number; readonly sizeBytes: number };
  /** For `next-run` its times, for `retention` those of the oldest good backup; ISO, left out where there is none. */
  readonly before?: string;
  readonly after?: string;
  /** For `retention`: what will go by it, newest first. */
  readonly expiring?: readonly ExpiringCopy[];
}

export interface ExpiringCopy {
  readonly id: string;
  readonly destination: string;
  readonly snapshot: string;
  readonly source: string;
  readonly consistentAt: string;
  readonly sizeBytes: number;
}

export function isEmpty(changeSet: ChangeSet): boolean {
  return changeSet.actions.length === 0;
}

export function hasRefusals(changeSet: ChangeSet): boolean {
  return changeSet.actions.some((action) => action.kind === 'refuse');
}

export function isDestructive(changeSet: ChangeSet): boolean {
  return changeSet.actions.some((action) => action.destructive);
}

/** `retry.attempts`, `members[0].name`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('');
}
