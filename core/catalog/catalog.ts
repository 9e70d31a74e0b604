import type { Resource } from '../config/index.ts';
import type { BackupType, Manifest, Selection } from '../driver/index.ts';
import type { Checks } from './check-status.ts';
import type { EventLevel, EventRecord, NewEvent } from './event.ts';
import type { Job, Jobs, KeepLimits, NewJob, ProcessFate } from './job.ts';
import type { PlanStatus, PlanStatusChange } from './plan-status.ts';

export * from './check-status.ts';
export * from './event.ts';
export * from './job.ts';
export * from './plan-status.ts';

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
  readonly retained: RetainedCopies;
  readonly jobs: Jobs;
  readonly plans: PlanStatuses;
  readonly destinations: DestinationStatuses;
  readonly events: Events;
  readonly daemons: Daemons;
  readonly checks: Checks;
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
   * `expectedSerial`. The status of a removed plan goes with it, and its queued jobs are cancelled, as are those that
   * belong to a removed destination. The backups known in
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
  /** That it was done: known as soon as it is. */
  readonly event?: NewEvent;
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
  /** What the source said of itself when it was made; absent where the manifest says nothing. */
  readonly identity?: string;
  /** Set while somebody wants it kept whatever its plan's retention says. */
  readonly pin?: Pin;
  /** Since when it is on its way out: it may be gone already, so nothing is restored from it or built upon it. */
  readonly expiringAt?: Date;
  /** What a check of the repository found of it: it is partial then whatever it was made as, and a warning says this. */
  readonly damage?: string;
}

/** As the repository has it too, which is where it counts. */
export interface Pin {
  readonly at: Date;
  /** The host that it was set on. */
  readonly by: string;
  readonly reason?: string;
  /** The document in `pins/` of the repository that says so: whose it was is known when it is damaged. */
  readonly object?: string;
}

/** Manifests may have megabytes, so lists do without. */
export interface BackupWithManifest extends BackupRecord {
  readonly manifest: Manifest;
}

export interface Backups {
  /**
   * Recording the same copy again replaces it. With the id of the job that made it, it gets the names that this job has
   * now: those of its manifest may have changed while it ran. Gives what was recorded.
   */
  record(backup: BackupWithManifest, job?: string): Promise<BackupWithManifest>;
  /** By `consistentAt`, newest first unless `order` says otherwise. */
  list(filter?: BackupFilter): Promise<readonly BackupRecord[]>;
  /** By id or an unambiguous beginning or end of it (case-insensitive), or a snapshot id. Throws BACKUP_NOT_FOUND, BACKUP_AMBIGUOUS. */
  get(idPart: string): Promise<BackupWithManifest>;
  /** This copy and no other. Throws BACKUP_NOT_FOUND. */
  copy(destination: string, snapshot: string): Promise<BackupWithManifest>;
  /** Every copy of a backup that was asked for as in `get`, by its whole id. */
  copies(id: string): Promise<readonly BackupRecord[]>;
  /**
   * Says that a copy is being deleted, unless something forbids that: which is what it gives. Both in one transaction; what
   * a job that waits or runs says it reads (`copy:<snapshot>`) stays. One that is expiring already goes on being so.
   */
  expire(copy: CopyName, terms?: ExpiryTerms): Promise<ExpiryObstacle | undefined>;
  /** What would forbid it now; nothing is changed. */
  obstacle(copy: CopyName, terms?: ExpiryTerms): Promise<ExpiryObstacle | undefined>;
  /** Forgets those of the copies that are expiring, once their snapshots are gone, and records the events of it. */
  forget(destination: string, snapshots: readonly string[], events?: readonly NewEvent[]): Promise<number>;
  /**
   * What a check of a destination found hurt, by snapshot: such copies are partial until a later check takes it back. With
   * `whole` it does so for all others: they were looked at wherever anything had been found of them.
   */
  setDamage(destination: string, hurt: ReadonlyMap<string, string>, others: 'whole' | 'unknown'): Promise<void>;
  /** How much there is, by plan, source and destination; cheap however many backups there are. */
  totals(): Promise<readonly BackupTotals[]>;
  /**
   * Brings what is known of a destination up to date: what `catalog import` does, in several steps. A copy that was known keeps what no
   * repository tells: a name given by a rename, and what it added.
   */
  takeStock(destination: string, stock: BackupStock): Promise<{ added: number; removed: number }>;
}

/** One copy of one backup. */
export type CopyName = Pick<BackupRecord, 'destination' | 'snapshot'>;

export interface ExpiryTerms {
  /** Also the newest good backup of its plan. */
  readonly evenTheLast?: boolean;
  /** The snapshots that the destination has, where that is known: what it lacks is nobody's last good backup. */
  readonly present?: ReadonlySet<string>;
}

/** Why a copy is not deleted. */
export type ExpiryObstacle =
  /** It is not known (any more). */
  | { readonly why: 'gone' }
  /** Somebody wants it kept. */
  | { readonly why: 'pinned' }
  /** A job reads it, or waits to. */
  | { readonly why: 'read'; readonly job: string }
  /** It is the newest of its plan, source and destination that lacks nothing; where there is none such, the newest. */
  | { readonly why: 'last' };

/** What was seen of a destination. Copies that it says nothing of stay as they are: they may have come meanwhile. */
export interface BackupStock {
  readonly found: readonly BackupWithManifest[];
  /** Snapshots that were known and are not there any more. */
  readonly gone: readonly string[];
  /** Snapshots that cannot be read, and why. One that was known is not forgotten: it becomes partial, with a warning. */
  readonly damaged: ReadonlyMap<string, string>;
  /** By the id of the backup: its pin, or undefined where it has none any more. Of others nothing is said. */
  readonly pins?: ReadonlyMap<string, Pin | undefined>;
}

/** Copies of backups as retention sees them. */
export interface RetainedCopies {
  /** Of these plans, newest first; cheap for many thousands. */
  list(plans: readonly string[]): Promise<readonly RetainedCopy[]>;
  /**
   * Sets the pin of a backup in a destination, or takes it away. False where no such copy is known, or it is expiring,
   * which a pin does not stop any more.
   */
  pin(destination: string, id: string, pin: Pin | undefined): Promise<boolean>;
  /** Takes back that a copy is being deleted, whose snapshot is there still: its repository has this pin of it. */
  keep(copy: CopyName, pin: Pin): Promise<void>;
  /** A person has agreed to what goes beside these: they are not unseen any more. */
  seen(destination: string, snapshots: readonly string[]): Promise<void>;
}

export interface RetainedCopy
  extends Pick<
    BackupRecord,
    'id' | 'destination' | 'snapshot' | 'plan' | 'source' | 'consistentAt' | 'sizeBytes' | 'partial'
  > {
  readonly pinned: boolean;
  readonly expiring: boolean;
  /** As `BackupRecord.identity`. */
  readonly identity?: string;
  /** An import found it: it may be of another catalog, whose plan has the same name. */
  readonly imported: boolean;
  /** It is imported or `behind`, and no person has agreed yet to what retention lets go of its history. */
  readonly unseen: boolean;
  /** It was made after others of its history that are dated later: the clock had gone back. */
  readonly behind: boolean;
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
  /** False: none that is being deleted. */
  readonly expiring?: boolean;
  readonly pinned?: boolean;
  readonly since?: Date;
  /** Newest whose `consistentAt` is not after this. */
  readonly until?: Date;
  /** `newest` when left out. */
  readonly order?: 'newest' | 'oldest';
  /** 1000 when left out. */
  readonly limit?: number;
}

export interface PlanStatuses {
  list(): Promise<readonly PlanStatus[]>;
  get(plan: string): Promise<PlanStatus>;
  /** Merges; `null` clears a field. */
  update(plan: string, change: PlanStatusChange): Promise<PlanStatus>;
  /**
   * As `update`, where the fields that it changes still are as they were read. Undefined, and nothing done, when somebody
   * else has written one of them since. The event is part of the change.
   */
  updateFrom(before: PlanStatus, change: PlanStatusChange, event?: NewEvent): Promise<PlanStatus | undefined>;
  /**
   * Moves `scheduledThrough` from `from` (undefined: never scheduled) to `to`, adds the jobs and records the event, in one transaction.
   * Undefined, and nothing done, when it is not `from` any more: of several daemons one schedules a run, once.
   */
  schedule(decision: {
    readonly plan: string;
    readonly from: Date | undefined;
    readonly to: Date;
    readonly jobs: readonly NewJob[];
    readonly event?: NewEvent;
  }): Promise<readonly Job[] | undefined>;
}

/** What changes about a destination while it lives; moved by `renamedFrom`, gone with it. */
export interface DestinationStatus {
  readonly destination: string;
  /** The schedule and time zone by which space is freed in it; another one begins anew. */
  readonly timetable: string;
  /** As `PlanStatus.scheduledThrough`, of the freeing of space. */
  readonly scheduledThrough: Date;
}

export interface DestinationStatuses {
  list(): Promise<readonly DestinationStatus[]>;
  /**
   * As `PlanStatuses.schedule`: from the status that was read (undefined: there was none) to this one, with the jobs and
   * the event, or not at all.
   */
  schedule(decision: {
    readonly from: DestinationStatus | undefined;
    readonly to: DestinationStatus;
    readonly jobs?: readonly NewJob[];
    readonly event?: NewEvent;
  }): Promise<readonly Job[] | undefined>;
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
  /** The one that is alive now, if any: not one whose process is gone, nor one that has said nothing for too long. */
  alive(fate: (owner: string) => ProcessFate): Promise<readonly DaemonRecord[]>;
  /** Frees the place when this owner has it. */
  leave(owner: string): Promise<void>;
}
