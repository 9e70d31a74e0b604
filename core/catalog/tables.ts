/**
 * The catalog's tables as rows. Times are milliseconds since 1970, flags 0 or 1, structures JSON text: what SQLite and
 * MySQL catalog alike.
 */
export interface Tables {
  state: StateRow;
  resource: ResourceRow;
  backup: BackupRow;
  job: JobRow;
  plan_status: PlanStatusRow;
  destination_status: DestinationStatusRow;
  event: EventRow;
  daemon: DaemonRow;
  check_status: CheckStatusRow;
}

/** One row with `id` 1. */
export interface StateRow {
  id: number;
  lineage: string;
  serial: number;
  appliedAt: number | null;
  /** Counts the claims of jobs and the changes of what they go by: see `job-claim.ts`. */
  claims: number;
}

export interface ResourceRow {
  address: string;
  collection: string;
  name: string;
  spec: string;
  identity: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface BackupRow {
  destination: string;
  snapshot: string;
  id: string;
  plan: string;
  source: string;
  driver: string;
  type: string;
  startedAt: number;
  endedAt: number;
  consistentAt: number;
  sizeBytes: number;
  addedBytes: number | null;
  items: number;
  partial: number;
  warnings: string;
  selection: string;
  identity: string | null;
  /** Null when it is not pinned. */
  pin: string | null;
  expiringAt: number | null;
  /** Null when no check found it hurt: `partial` and `warnings` are as it was made, or as an import saw it. */
  damage: string | null;
  /**
   * When a person agreed to what retention lets go of its history: of what an import brought in null until then, and of
   * what was made while the clock had gone back `seenNever`.
   */
  seenAt: number | null;
  manifest: string;
}

export interface JobRow {
  id: string;
  kind: string;
  state: string;
  trigger: string;
  source: string;
  plan: string | null;
  destination: string | null;
  request: string;
  /** Null in a job that had ended before jobs said what they use. */
  uses: string | null;
  attempt: number;
  attempts: number;
  queuedAt: number;
  notBefore: number | null;
  startedAt: number | null;
  endedAt: number | null;
  progress: string | null;
  error: string | null;
  result: string | null;
  cancelRequested: number;
  leaseOwner: string | null;
  leaseUntil: number | null;
  waiterOwner: string | null;
  waiterUntil: number | null;
  /** Counts the claims of this job; outlives the lease. */
  fence: number;
}

export interface PlanStatusRow {
  plan: string;
  pausedAt: number | null;
  suspended: string | null;
  scheduledThrough: number | null;
  lastSuccessAt: number | null;
  lastFailureAt: number | null;
}

export interface DestinationStatusRow {
  destination: string;
  timetable: string;
  scheduledThrough: number;
}

export interface EventRow {
  id: string;
  kind: string;
  level: string;
  subject: string;
  text: string;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** One row with `id` 1. */
export interface DaemonRow {
  id: number;
  owner: string;
  pid: number;
  host: string;
  version: string;
  startedAt: number;
  until: number;
  configuration: string;
}

export interface CheckStatusRow {
  destination: string;
  status: string;
}
