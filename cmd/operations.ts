import type { Job } from '../core/catalog/index.ts';
import type { Operations } from '../core/job/index.ts';
import type { OperationContext, RestoreOutcome, RestoreRequest } from '../core/operation/index.ts';
import { runBackup, runRestore } from '../core/operation/index.ts';

/** What the kinds of jobs do. Their requests are JSON; see `restoreJob` for a restore's. */
export function operationsFor(context: OperationContext): Operations {
  return {
    backup: async (job, run) => {
      const backup = await runBackup(context, { plan: String(job.request.plan), jobId: job.id }, run);
      const { id, destination, snapshot, sizeBytes, addedBytes, items, partial, warnings } = backup;
      return { result: { backup: id, destination, snapshot, sizeBytes, addedBytes, items, warnings }, partial };
    },
    restore: async (job, run) => {
      const { partial, ...outcome } = await runRestore(context, restoreRequest(job), run);
      return { result: { ...restoreResult(outcome) }, partial };
    },
  };
}

/** A restore's request as its job keeps it. */
export type RestoreJobRequest = Omit<RestoreRequest, 'to'>;

function restoreRequest(job: Job): RestoreRequest {
  return job.request as unknown as RestoreJobRequest;
}

/** What came of a restore, as its job keeps it. */
export type RestoreJobResult = Omit<RestoreOutcome, 'partial' | 'restoredTo'> & {
  readonly restoredTo: string;
  /** How many there are; `notRestored` itself ends at some thousand. */
  readonly notRestoredCount: number;
};

function restoreResult(outcome: Omit<RestoreOutcome, 'partial'>): RestoreJobResult {
  const { notRestored, restoredTo } = outcome;
  return {
    ...outcome,
    notRestored: notRestored.slice(0, keptNotRestored),
    notRestoredCount: notRestored.length,
    restoredTo: restoredTo.toISOString(),
  };
}

/** A lost folder of packs can cost a million files; the row of a job in the catalog stays some megabytes at most. */
const keptNotRestored = 10_000;
