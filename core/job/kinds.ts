import type { BackupRecord, Catalog, Job } from '../catalog/index.ts';
import type { Run } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import type { OperationContext } from '../operation/index.ts';
import type { RestorePlan } from '../restore/index.ts';
import { checkOutcome, readOf } from './check-job.ts';
import type { JobKinds, JobOutcome, Operation } from './operation.ts';
import { pruneRequest, pruneResult } from './prune-job.ts';
import { planOf, repairOutcome } from './repair-job.ts';
import { restoreResult } from './restore-job.ts';

/** Every kind of job there is, by the name that the catalog keeps. */
export const jobKinds = {
  backup: {
    perform: backUp,
    stored: storedBackup,
    slots: 'shared',
    whenInterrupted: 'requeue',
    countsForPlan: true,
  },
  check: { perform: check, slots: 'shared', whenInterrupted: 'requeue', countsForPlan: false },
  repair: { perform: repair, slots: 'shared', whenInterrupted: 'fail', countsForPlan: false },
  restore: { perform: restore, slots: 'shared', whenInterrupted: 'fail', countsForPlan: false },
  prune: { perform: prune, slots: 'own', whenInterrupted: 'requeue', countsForPlan: false },
} as const satisfies JobKinds;

/** The kinds of those jobs that a plan is for. */
export function planKinds(kinds: JobKinds): readonly string[] {
  return Object.keys(kinds).filter((kind) => kinds[kind]!.countsForPlan);
}

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

async function check(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runCheck } = await operations();
  const destination = job.destination!;
  return checkOutcome(await runCheck(context, { destination, read: readOf(job) }, run), destination);
}

async function repair(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runRepair } = await operations();
  const destination = job.destination!;
  return repairOutcome(await runRepair(context, { destination, plan: planOf(job) }, run), destination);
}

async function prune(context: OperationContext, job: Job, run: Run): Promise<JobOutcome> {
  const { runPrune } = await operations();
  const { partial, ...outcome } = await runPrune(context, pruneRequest(job), run);
  return { result: pruneResult(outcome), partial };
}
