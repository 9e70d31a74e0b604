import type { Kysely } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobProgress } from './catalog.ts';
import { jsonColumn } from './columns.ts';
import { readJob, toJob } from './job-row.ts';
import type { Tables } from './tables.ts';

/** By owner and fence alone: whose clock is right does not matter until somebody takes the job over. */
export async function renew(
  db: Kysely<Tables>,
  id: string,
  lease: { owner: string; fence: number; leaseMs: number },
  progress: JobProgress | undefined,
  now: number,
): Promise<Job> {
  const { numUpdatedRows } = await db
    .updateTable('job')
    .set({ leaseUntil: now + lease.leaseMs, ...(progress === undefined ? {} : { progress: jsonColumn(progress) }) })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .where('leaseOwner', '=', lease.owner)
    .where('fence', '=', lease.fence)
    .executeTakeFirstOrThrow();
  const job = toJob(await readJob(db, id));
  if (numUpdatedRows === 0n) throw lost(job);
  return job;
}

function lost(job: Job): TidemarkError {
  const text =
    job.lease === undefined
      ? `is ${job.state}`
      : `is held by ${job.lease.owner} until ${job.lease.until.toISOString()}`;
  return new TidemarkError('JOB_LOST', `the lease of job ${job.id} is lost: it ${text}`, { subject: `job.${job.id}` });
}
