import type { Job } from '../catalog/index.ts';
import type { Run } from '../driver/index.ts';
import { asTidemarkError, hasCode, type TidemarkError } from '../error.ts';
import { withLease } from './lease.ts';
import type { JobContext, Operation } from './operation.ts';
import { createProgressMeter } from './progress-meter.ts';
import { type Ending, settle } from './settle.ts';

export interface RunJobOptions {
  /**
   * Fires to stop the job: with a reason of code CANCELLED it ends as cancelled, with JOB_LOST (the process stops) as
   * its kind says: queued again, or failed.
   */
  readonly signal: AbortSignal;
  /** The job with its progress, about once a second. */
  readonly onProgress?: (job: Job) => void;
}

/**
 * Runs one job that this owner has claimed, to its end or back into the queue, and gives it as it then is. Throws only
 * when the catalog fails; the job is then taken over when its lease ends. What it stored and could not record it then says,
 * and where somebody else has taken the job: BACKUP_UNRECORDED.
 */
export async function runJob(
  job: Job,
  context: JobContext,
  operation: Operation,
  options: RunJobOptions,
): Promise<Job> {
  const meter = createProgressMeter(context.clock);
  const keep = { outer: options.signal, progress: meter.read, onRenewed: options.onProgress };
  let unrecorded: TidemarkError | undefined;
  const settled = await withLease(job, context, keep, async (signal) => {
    const ending = await attempt(job, operation, { signal, progress: meter }, options.signal);
    if ('error' in ending && isUnrecorded(ending.error)) unrecorded = ending.error;
    return settle(job, ending, context, { isOver: () => hasCode(signal.reason, 'JOB_LOST') });
  }).catch((thrown) => {
    throw unrecorded ?? thrown;
  });
  if (settled === undefined && unrecorded !== undefined) throw unrecorded;
  return settled ?? context.catalog.jobs.get(job.id);
}

async function attempt(job: Job, operation: Operation, run: Run, stop: AbortSignal): Promise<Ending> {
  try {
    run.signal.throwIfAborted();
    return { outcome: await operation(job, run) };
  } catch (thrown) {
    const error = asTidemarkError(run.signal.aborted && !isUnrecorded(thrown) ? run.signal.reason : thrown);
    return { error, interrupted: stop.aborted && error.code === 'JOB_LOST' };
  }
}

/** Says more than why the job was to end: something is stored that nobody knows of. */
function isUnrecorded(thrown: unknown): boolean {
  return hasCode(thrown, 'BACKUP_UNRECORDED');
}
