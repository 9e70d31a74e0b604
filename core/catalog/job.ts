import type { ErrorCode } from '../error.ts';
import type { NewEvent } from './event.ts';
import type { PlanStatus } from './plan-status.ts';

/**
 * queued -> running -> succeeded | partial | failed | cancelled; queued -> cancelled | missed; running -> queued (retry).
 * `job-state.ts` has the table.
 */
export const jobStates = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled', 'missed'] as const;
export type JobState = (typeof jobStates)[number];

/**
 * One thing that a job touches while it runs: `sources.shop`; `backups:logical:sources.shop`, the row of backups of that
 * type; `space:destinations.nas`, all that its repository holds; or `folder:/srv/www`, absolute and with its links resolved. `job-uses.ts` has the rule that goes by it.
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
  /** Empty for a job of a destination: what frees space in it, checks or repairs it. */
  readonly source: string;
  readonly plan?: string;
  readonly destination?: string;
  /** What to do, by kind: see `core/operation`. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly uses: readonly JobUse[];
  /** Which run of the job this is or was, from 1. A run that a stop of its process interrupted does not count. */
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
   * lease is not ours any more. One whose time has passed is ours until somebody takes the job over.
   */
  renew(id: string, lease: { owner: string; fence: number; leaseMs: number }, progress?: JobProgress): Promise<Job>;
  /**
   * How a job leaves a state: compare-and-set on state, and on the fence when running. A job that would be queued again
   * although its cancel was requested becomes `cancelled`. Throws JOB_CONFLICT. Besides this only `claim`,
   * `requestCancel` and the commit that removes a plan change states.
   */
  transition(job: Job, to: JobState, change?: JobChange, terms?: TransitionTerms): Promise<Job>;
  /** Asks for a cancel; a queued job is cancelled at once. Throws JOB_CONFLICT for a job that has ended. */
  requestCancel(id: string): Promise<Job>;
  /** Says that the process which added the job still waits for it. */
  keepWaiting(id: string, waiter: { owner: string; leaseMs: number }): Promise<void>;
  /**
   * Running jobs whose process died, and queued ones whose waiter did: those whose process is gone, and those whose time
   * ended. The time of a waiter that is known to be alive does not end: it may have been stopped for a while.
   */
  abandoned(fate: (owner: string) => ProcessFate): Promise<readonly Job[]>;
  /**
   * Deletes some of the jobs past the limits, oldest first, and gives how many: to be called again until none is left.
   * What waits or runs stays, and of each source, plan, destination, kind and state the newest.
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
  /** Counts from here again. */
  readonly attempt?: number;
}

export interface TransitionTerms {
  /** What is kept of the job as it then is, in the same transaction: all of it, or the job stays as it was. */
  readonly settlement?: (changed: Job) => Settlement;
  /** For who is not the holder: JOB_CONFLICT also when the lease was renewed since the job was read. */
  readonly unlessRenewed?: boolean;
}

export interface Settlement {
  readonly event: NewEvent;
  /** Of the plan that the job has now; of one that is not applied any more nothing is kept. */
  readonly status?: Pick<PlanStatus, 'lastSuccessAt' | 'lastFailureAt'>;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly kind?: string;
  /** One of these. */
  readonly kinds?: readonly string[];
  readonly plan?: string;
  readonly source?: string;
  readonly destination?: string;
  /** By `queuedAt`. */
  readonly since?: Date;
  /** 100 when left out. */
  readonly limit?: number;
}
