import type { Job } from '../core/catalog/index.ts';
import type { Operations } from '../core/job/index.ts';
import type { OperationContext, RestoreRequest } from '../core/operation/index.ts';
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
      const { restoredTo, partial, ...outcome } = await runRestore(context, restoreRequest(job), run);
      return { result: { ...outcome, restoredTo: restoredTo.toISOString() }, partial };
    },
  };
}

/** A restore's request as its job keeps it. */
export type RestoreJobRequest = Omit<RestoreRequest, 'to'>;

function restoreRequest(job: Job): RestoreRequest {
  return job.request as unknown as RestoreJobRequest;
}
