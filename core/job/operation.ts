import type { Catalog, Job, ProcessFate } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { Run } from '../driver/index.ts';
import type { Emit } from '../observe/index.ts';
import type { OperationContext } from '../operation/index.ts';

export interface JobOutcome {
  /** Stored with the job; no secrets. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Ended, but something that should have been done is missing. */
  readonly partial: boolean;
}

/** Does the work of a job, whatever its kind: here, or in a process of its own. Throws as `JobKind.perform` does. */
export type Operation = (job: Job, run: Run) => Promise<JobOutcome>;

/** All that tidemark knows of a kind of job, but for how one is queued: `request.ts`, `restore-job.ts`. What excludes it is in `Job.uses`. */
export interface JobKind {
  /** The work itself. Throws TidemarkError; one whose `retry` is `backoff` is tried again while attempts remain. */
  readonly perform: (context: OperationContext, job: Job, run: Run) => Promise<JobOutcome>;
  /** What the job has stored so that it counts, when it was ended between that and its end. */
  readonly stored?: (catalog: Catalog, job: Job) => Promise<JobOutcome | undefined>;
  /** `shared`: counts against `daemon.concurrency`. `own`: lives long and takes no slot from others. */
  readonly slots: 'shared' | 'own';
  /** What becomes of it when the process that runs it stops; only what may be begun anew is queued again. */
  readonly whenInterrupted: 'requeue' | 'fail';
  /** What a plan is for: its schedule makes such jobs, and by how they end its success, its failures and its state are told. */
  readonly countsForPlan: boolean;
}

export type JobKinds = Readonly<Record<string, JobKind>>;

/** Who runs jobs, and where they are kept. */
export interface JobContext {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Jobs of other kinds are left to others. */
  readonly kinds: JobKinds;
  /** Unique to this process. */
  readonly owner: string;
  /** What can be known of the process behind another owner, and of those that it started for its jobs. */
  fate(owner: string): ProcessFate;
}
