import type { Catalog, Job, ProcessFate } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { Run } from '../driver/index.ts';
import type { Emit } from '../observe/index.ts';
import type { JobKinds } from './kinds.ts';

export interface JobOutcome {
  /** Stored with the job; no secrets. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Ended, but something that should have been done is missing. */
  readonly partial: boolean;
}

/** Does the work of a job, whatever its kind: here, or in a process of its own. Throws as `JobKind.perform` does. */
export type Operation = (job: Job, run: Run) => Promise<JobOutcome>;

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
