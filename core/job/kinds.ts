import type { Job } from '../catalog/index.ts';
import type { Run } from '../driver/index.ts';
import type { OperationContext } from '../operation/index.ts';
import type { RestorePlan } from '../restore/index.ts';
import type { JobOutcome, Operation } from './operation.ts';
import { restoreResult } from './restore-job.ts';

/** All that tidemark knows of a kind of job, but for how one is queued: `request.ts`, `restore-job.ts`. What excludes it is in `Job.uses`. */
export interface JobKind {
  /** The work itself. Throws TidemarkError; one whose `retry` is `backoff` is tried again while attempts remain. */
  readonly perform: (context: OperationContext, job: Job, run: Run) => Promise<JobOutcome>;
  /** `shared`: counts against `daemon.concurrency`. `own`: lives long and takes no slot from others. */
  readonly slots: 'shared' | 'own';
  /** What becomes of it when the process that runs it stops; only what may be begun anew is queued again. */
  readonly whenInterrupted: 'requeue' | 'fail';
  /** Its success is a success of its plan. */
  readonly countsForPlan: boolean;
}

export type JobKinds = Readonly<Record<string, JobKind>>;

/** Every kind of job there is, by the name that the catalog keeps. */
export const jobKinds = {
  backup: { perform: backUp, slots: 'shared', whenInterrupted: 'requeue', countsForPlan: true },
  restore: { perform: restore, slots: 'shared', whenInterrupted: 'fail', countsForPlan: false },
} as const satisfies JobKinds;

/** What a process does with any job: the work of its kind. */
export function operationOf(kinds: JobKinds, context: OperationContext): Operation {
  return (job, run) => kinds[job.kind]!.perform(context, job, run); // nobody claims a kind that is not in the table
}

/** Loaded when a job runs: most verbs only queue, look or follow. */
const operations = () => import('../operation/index.ts');

async function backUp(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runBackup } = await operations();
  const backup = await runBackup(context, { plan: String(job.request.plan), jobId: job.id }, run);
  const { id, destination, snapshot, sizeBytes, addedBytes, items, partial, warnings } = backup;
  return { result: { backup: id, destination, snapshot, sizeBytes, addedBytes, items, warnings }, partial };
}

async function restore(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runRestore } = await operations();
  const plan = job.request as unknown as RestorePlan;
  const { partial, ...outcome } = await runRestore(context, plan, run);
  return { result: { ...restoreResult(outcome) }, partial };
}
