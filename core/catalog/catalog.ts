import type { Resource } from '../config/index.ts';
import type { BackupType, Manifest, Selection } from '../driver/index.ts';
import type { ErrorCode } from '../error.ts';

/**
 * What tidemark remembers: the applied configuration, jobs, backups, schedules and events. Several processes may use
 * one catalog at a time. Nothing in it is needed to restore: it can be rebuilt from repositories.
 *
 * Times are `Date`; identifiers of backups, jobs and events are ULIDs.
 * Errors: CATALOG_UNREADABLE, CATALOG_BUSY from any method.
 */
export interface Catalog extends AsyncDisposable {
  readonly state: AppliedStates;
  readonly backups: Backups;
  readonly jobs: Jobs;
  readonly plans: PlanStatuses;
  readonly events: Events;
  readonly daemons: Daemons;
  /**
   * Throws CATALOG_UNREADABLE when what was opened is not what stands at its address any more: its file was deleted or
   * replaced, and whatever is written now is lost.
   */
  checkPresence(): Promise<void>;
}

export interface AppliedState {
  /** Random, made once: tells one catalog from another. */
  readonly lineage: string;
  /** Grows by one with every apply. */
  readonly serial: number;
  readonly appliedAt?: Date;
  readonly resources: ReadonlyMap<string, AppliedResource>;
}

export interface AppliedResource extends Resource {
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** What the source said of itself when it was applied (`SourceProbe.identity`); a repository's id for a destination. */
  readonly identity?: string;
}

export interface AppliedStates {
  read(): Promise<AppliedState>;
  /**
   * One transaction: removes, then renames, then puts, then retimes. Throws CHANGE_STALE when the serial is no longer
   * `expectedSerial`. The status of a removed plan goes with it, and its queued jobs are cancelled. The backups known in
   * a destination that is removed, or that is another repository now (`identity`), are forgotten: nothing can read them
   * until they are imported again.
   */
  commit(change: StateChange): Promise<AppliedState>;
}

export interface StateChange {
  readonly expectedSerial: number;
  readonly put: readonly (Resource & { readonly identity?: string })[];
  readonly remove: readonly string[];
  /** Addresses whose resource, plan status, backups and jobs get a new name, and the names in what jobs that have not ended ask for and use. */
  readonly rename: readonly { readonly from: string; readonly to: string }[];
  /** Plans (by their new names) whose timing begins anew: `scheduledThrough` becomes `since`. */
  readonly retime?: { readonly plans: readonly string[]; readonly since: Date };
}

/** One copy of one backup: a snapshot in a destination's repository. */
export interface BackupRecord {
  readonly id: string;
  readonly destination: string;
  readonly snapshot: string;
  readonly plan: string;
  readonly source: string;
  readonly driver: string;
  readonly type: BackupType;
  /** Patterns of the plan, as in the manifest. */
  readonly selection: Selection;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** The moment that it shows. */
  readonly consistentAt: Date;
  readonly sizeBytes: number;
  /** What storing it added to the repository; absent when imported. */
  readonly addedBytes?: number;
  readonly items: number;
  readonly partial: boolean;
  readonly warnings: readonly string[];
}

/** Manifests may have megabytes, so lists do without. */
export interface BackupWithManifest extends BackupRecord {
  readonly manifest: Manifest;
}

export interface Backups {
  /** Recording the same copy again replaces it. */
  record(backup: BackupWithManifest): Promise<void>;
  /** By `consistentAt`, newest first unless `order` says otherwise. */
  list(filter?: BackupFilter): Promise<readonly BackupRecord[]>;
  /** By id or an unambiguous beginning or end of it (case-insensitive), or a snapshot id. Throws BACKUP_NOT_FOUND, BACKUP_AMBIGUOUS. */
  get(idPart: string): Promise<BackupWithManifest>;
  /** How much there is, by plan, source and destination; cheap however many backups there are. */
  totals(): Promise<readonly BackupTotals[]>;
  /**
   * Brings what is known of a destination up to date: what `catalog import` does. A copy that was known keeps what no
   * repository tells: a name given by a rename, and what it added.
   */
  takeStock(destination: string, stock: BackupStock): Promise<{ added: number; removed: number }>;
}

/** What was seen of a destination. Copies that it says nothing of stay as they are: they may have come meanwhile. */
export interface BackupStock {
  readonly found: readonly BackupWithManifest[];
  /** Snapshots that were known and are not there any more. */
  readonly gone: readonly string[];
  /** Snapshots that cannot be read, and why. One that was known is not forgotten: it becomes partial, with a warning. */
  readonly damaged: ReadonlyMap<string, string>;
}

/** All copies of one plan's backups of one source in one destination. */
export interface BackupTotals {
  readonly plan: string;
  readonly source: string;
  readonly destination: string;
  readonly copies: number;
  /** Sum of `sizeBytes`: what they restore to, not what they occupy. */
  readonly sizeBytes: number;
  readonly oldestAt: Date;
  readonly newestAt: Date;
}

export interface BackupFilter {
  readonly plan?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly type?: BackupType;
  readonly partial?: boolean;
  readonly since?: Date;
  /** Newest whose `consistentAt` is not after this. */
  readonly until?: Date;
  /** `newest` when left out. */
  readonly order?: 'newest' | 'oldest';
  /** 1000 when left out. */
  readonly limit?: number;
}

/**
 * queued -> running -> succeeded | partial | failed | cancelled; queued -> cancelled | missed; running -> queued (retry).
 * `job-state.ts` has the table.
 */
export const jobStates = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled', 'missed'] as const;
export type JobState = (typeof jobStates)[number];

/**
 * One thing that a job touches while it runs: `sources.shop`; `backups:logical:sources.shop`, the row of backups of that
 * type; or `folder:/srv/www`, absolute and with its links resolved. `job-uses.ts` has the rule that goes by it.
 */
export interface JobUse {
  readonly thing: string;
  readonly mode: 'read' | 'write';
}

export interface Job {
  readonly id: string;
  /** A name that `core/job/kinds.ts` explains; the catalog knows kinds by nothing else. */
  readonly kind: string;
  readonly state: JobState;
  readonly trigger: 'manual' | 'schedule' | 'missed';
  readonly source: string;
  readonly plan?: string;
  readonly destination?: string;
  /** What to do, by kind: see `core/operation`. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly uses: readonly JobUse[];
  /** Counts from 1 when it first runs. */
  readonly attempt: number;
  readonly attempts: number;
  readonly queuedAt: Date;
  /** Not before this: the back-off of a retry. */
  readonly notBefore?: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly progress?: JobProgress;
  readonly error?: JobError;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly cancelRequested: boolean;
  /** Who runs it, until when, and the fencing number of that hold. */
  readonly lease?: { readonly owner: string; readonly until: Date; readonly fence: number };
  /** The verb that waits for it, and until when it surely does: without it nobody wants the job, unless it runs already. */
  readonly waiter?: { readonly owner: string; readonly until: Date };
}

export interface JobProgress {
  readonly step: string;
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly doneItems: number;
  readonly totalItems?: number;
  readonly at: Date;
}

export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly subject?: string;
  readonly hint?: string;
}

/** A running job that keeps another one from running, and what it does to a thing that both touch. */
export interface Rival {
  readonly job: Job;
  readonly use: JobUse;
}

export interface NewJob {
  readonly kind: string;
  readonly trigger: Job['trigger'];
  readonly source: string;
  readonly plan?: string;
  readonly destination?: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly uses: readonly JobUse[];
  readonly attempts: number;
  /** `missed` records a run that did not happen. */
  readonly state?: 'queued' | 'missed';
  /** The process that waits for it; see `Job.waiter`. */
  readonly waiter?: { readonly owner: string; readonly leaseMs: number };
}

/** What can be known of the process behind an owner. `unknown`: it is, or was, on another host or in another container. */
export type ProcessFate = 'alive' | 'gone' | 'unknown';

export interface Jobs {
  add(job: NewJob): Promise<Job>;
  /** By id or an unambiguous part of it. Throws JOB_NOT_FOUND. */
  get(idPart: string): Promise<Job>;
  /** Newest first. */
  list(filter?: JobFilter): Promise<readonly Job[]>;
  /**
   * Takes the oldest queued job that is due and clashes with no running one by what they use; with `kinds` only one of
   * these, with `id` only that job, under the same conditions. Of several processes one gets it, and never two of them
   * jobs that clash. Undefined when there is none.
   */
  claim(request: ClaimRequest): Promise<Job | undefined>;
  /** The running jobs that a job with these uses would have to wait for. */
  rivals(uses: readonly JobUse[]): Promise<readonly Rival[]>;
  /**
   * Extends the lease and stores progress. Gives the job as it is now (with `cancelRequested`). Throws JOB_LOST when the
   * lease has ended or is not ours any more.
   */
  renew(id: string, lease: { owner: string; fence: number; leaseMs: number }, progress?: JobProgress): Promise<Job>;
  /**
   * The only way a state changes, besides `claim`: compare-and-set on state, and on the fence when running. A job that
   * would be queued again although its cancel was requested becomes `cancelled`. Throws JOB_CONFLICT.
   */
  transition(job: Job, to: JobState, change?: JobChange): Promise<Job>;
  /** Asks for a cancel; a queued job is cancelled at once. Throws JOB_CONFLICT for a job that has ended. */
  requestCancel(id: string): Promise<Job>;
  /** Says that the process which added the job still waits for it. */
  keepWaiting(id: string, waiter: { owner: string; leaseMs: number }): Promise<void>;
  /**
   * Running jobs whose process died, and queued ones whose waiter did: those whose process is gone, and those whose time
   * ended. The time of a waiter that is known to be alive does not end: it may have been stopped for a while.
   */
  abandoned(fate?: (owner: string) => ProcessFate): Promise<readonly Job[]>;
  /**
   * Deletes some of the jobs past the limits, oldest first, and gives how many: to be called again until none is left.
   * What waits or runs stays, and of each source, plan, kind and state the newest.
   */
  forget(limits: KeepLimits): Promise<number>;
}

export interface ClaimRequest {
  readonly owner: string;
  readonly leaseMs: number;
  readonly kinds?: readonly string[];
  readonly id?: string;
}

/** What is older than `before` may go, and what is not among the newest `most`, which is 1 or more. */
export interface KeepLimits {
  readonly before: Date;
  readonly most: number;
}

export interface JobChange {
  readonly error?: JobError;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly notBefore?: Date;
  readonly progress?: JobProgress;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly kind?: string;
  readonly plan?: string;
  readonly source?: string;
  /** By `queuedAt`. */
  readonly since?: Date;
  /** 100 when left out. */
  readonly limit?: number;
}

/** What changes about a plan while it lives; kept through edits of the plan, moved by `renamedFrom`. */
export interface PlanStatus {
  readonly plan: string;
  /** By a person; stays until `tidemark resume`. */
  readonly pausedAt?: Date;
  /** By tidemark, because the source or destination is down; ends by itself. */
  readonly suspended?: {
    readonly reason: 'source-down' | 'destination-down';
    readonly since: Date;
    readonly text: string;
  };
  /**
   * Scheduling goes on from here: the latest scheduled time that was turned into a job, recorded as missed or passed over,
   * or when the plan got the timetable that it has.
   */
  readonly scheduledThrough?: Date;
  readonly lastSuccessAt?: Date;
  readonly lastFailureAt?: Date;
}

export interface PlanStatuses {
  list(): Promise<readonly PlanStatus[]>;
  get(plan: string): Promise<PlanStatus>;
  /** Merges; `null` clears a field. */
  update(
    plan: string,
    change: { readonly [K in keyof Omit<PlanStatus, 'plan'>]?: PlanStatus[K] | null },
  ): Promise<PlanStatus>;
  /**
   * Moves `scheduledThrough` from `from` (undefined: never scheduled) to `to` and adds the jobs, in one transaction.
   * Undefined, and nothing done, when it is not `from` any more: of several daemons one schedules a run, once.
   */
  schedule(decision: {
    readonly plan: string;
    readonly from: Date | undefined;
    readonly to: Date;
    readonly jobs: readonly NewJob[];
  }): Promise<readonly Job[] | undefined>;
}

export const eventLevels = ['info', 'warning', 'error'] as const;
export type EventLevel = (typeof eventLevels)[number];

export interface NewEvent {
  /** `job.failed`, `plan.suspended`, `config.invalid`, …: `core/observe/event-kinds.ts` lists them. */
  readonly kind: string;
  readonly level: EventLevel;
  /** An address, or `job.<id>`. */
  readonly subject: string;
  readonly text: string;
}

export interface EventRecord extends NewEvent {
  readonly id: string;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export interface Events {
  /** An event equal to the newest of its kind and subject raises that one's count instead of adding a row. */
  record(event: NewEvent): Promise<EventRecord>;
  /** Newest first, by `lastAt`; `limit` is 100 when left out. */
  list(filter?: {
    kind?: string;
    level?: EventLevel;
    subject?: string;
    since?: Date;
    limit?: number;
  }): Promise<readonly EventRecord[]>;
  /** As `Jobs.forget`, by `lastAt`, whatever the event. */
  forget(limits: KeepLimits): Promise<number>;
}

/** A running daemon, so that the CLI knows whether somebody will run its jobs. */
export interface DaemonRecord {
  readonly owner: string;
  readonly pid: number;
  readonly host: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly until: Date;
  /** State of the watched configuration. */
  readonly configuration: {
    readonly state: 'applied' | 'pending' | 'invalid';
    readonly text: string;
    readonly at: Date;
  };
}

export interface Daemons {
  /** Takes the place of the catalog's one daemon. Undefined when it was free; otherwise who has it, and nothing done. */
  enter(daemon: DaemonRecord): Promise<DaemonRecord | undefined>;
  /** Says that this daemon lives until `until`. Throws DAEMON_RUNNING when another one has taken the place. */
  beat(daemon: DaemonRecord): Promise<void>;
  /** The one that is alive now, if any. */
  alive(): Promise<readonly DaemonRecord[]>;
  /** Frees the place when this owner has it. */
  leave(owner: string): Promise<void>;
}
