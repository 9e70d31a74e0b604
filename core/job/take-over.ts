import type { Job } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';
import type { JobContext } from './operation.ts';
import { settle } from './settle.ts';

/**
 * Settles the running jobs whose process died: queued again while attempts remain, otherwise failed with JOB_LOST. Safe
 * to call from several processes at a time; gives the jobs that this call settled.
 */
export async function takeOver(context: JobContext): Promise<readonly Job[]> {
  const settled: Job[] = [];
  for (const job of await context.catalog.jobs.abandoned()) {
    const error = new TidemarkError(
      'JOB_LOST',
      `the process that ran the job died (${job.lease?.owner ?? 'unknown'})`,
      {
        hint: 'Look into the log of that process. The repository is intact; the next run stores what is missing.',
      },
    );
    const done = await settle(job, { error, interrupted: false }, context);
    if (done !== undefined) settled.push(done);
  }
  return settled;
}
