import type { BackupRecord, Catalog, Job } from '../catalog/index.ts';
import type { Run } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import type { OperationContext } from '../operation/index.ts';
import type { RestorePlan } from '../restore/index.ts';
import type { JobOutcome, Operation } from './operation.ts';
import { restoreResult } from './restore-job.ts';

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
  /** Its success is a success of its plan. */
  readonly countsForPlan: boolean;
}

export type JobKinds = Readonly<Record<string, JobKind>>;

/** Every kind of job there is, by the name that the catalog keeps. */
export const jobKinds = {
  backup: {
    perform: backUp,
    stored: storedBackup,
    slots: 'shared',
    whenInterrupted: 'requeue',
    countsForPlan: true,
  },
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
  return backupOutcome(await runBackup(context, { plan: String(job.request.plan), jobId: job.id }, run));
}

/** One job makes one backup, which has its id. */
async function storedBackup({ backups }: Catalog, job: Job): Promise<JobOutcome | undefined> {
  try {
    return backupOutcome(await backups.get(job.id));
  } catch (thrown) {
    if (hasCode(thrown, 'BACKUP_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

function backupOutcome(backup: BackupRecord): JobOutcome {
  const { id, destination, snapshot, sizeBytes, addedBytes, items, partial, warnings } = backup;
  return { result: { backup: id, destination, snapshot, sizeBytes, addedBytes, items, warnings }, partial };
}

async function restore(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runRestore } = await operations();
  const plan = job.request as unknown as RestorePlan;
  const { partial, ...outcome } = await runRestore(context, plan, run);
  return { result: { ...restoreResult(outcome) }, partial };
}
