import type { Catalog, Job, JobKind } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { Run } from '../driver/index.ts';
import type { Emit } from '../observe/index.ts';

export interface JobOutcome {
  /** Stored with the job; no secrets. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Ended, but something that should have been done is missing. */
  readonly partial: boolean;
}

/** The work of one kind of job. Throws TidemarkError; one whose `retry` is `backoff` is tried again while attempts remain. */
export type Operation = (job: Job, run: Run) => Promise<JobOutcome>;
export type Operations = Readonly<Record<JobKind, Operation>>;

/** Who runs jobs, and where they are kept. */
export interface JobContext {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Unique to this process. */
  readonly owner: string;
}
