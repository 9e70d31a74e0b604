import type { Transaction } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobProgress } from './catalog.ts';
import { jsonColumn } from './columns.ts';
import { changeJob, readJob, toJob } from './job-row.ts';
import type { JobRow, Tables } from './tables.ts';

/** Starts the next attempt of a job; its fence is greater than that of any earlier hold of it. */
export async function claim(
  db: Transaction<Tables>,
  request: { owner: string; leaseMs: number; id?: string },
  now: number,
): Promise<Job | undefined> {
  const row = await oldestDue(db, now, request.id);
  if (row === undefined) return undefined;
  return changeJob(db, row, {
    state: 'running',
    attempt: row.attempt + 1,
    startedAt: now,
    notBefore: null,
    progress: null,
    error: null,
    leaseOwner: request.owner,
    leaseUntil: now + request.leaseMs,
    fence: row.fence + 1,
  });
}

function oldestDue(db: Transaction<Tables>, now: number, id: string | undefined): Promise<JobRow | undefined> {
  let query = db
    .selectFrom('job')
    .selectAll()
    .where('state', '=', 'queued')
    .where((is) => is.or([is('notBefore', 'is', null), is('notBefore', '<=', now)]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('job as other')
            .select('other.id')
            .where('other.state', '=', 'running')
            .whereRef('other.kind', '=', 'job.kind')
            .whereRef('other.source', '=', 'job.source'),
        ),
      ),
    );
  if (id !== undefined) query = query.where('id', '=', id);
  return query.orderBy('queuedAt').orderBy('id').limit(1).executeTakeFirst();
}

/** A lease that has ended counts as lost even before somebody else notices. */
export async function renew(
  db: Transaction<Tables>,
  id: string,
  lease: { owner: string; fence: number; leaseMs: number },
  progress: JobProgress | undefined,
  now: number,
): Promise<Job> {
  const row = await readJob(db, id);
  const held = row.state === 'running' && row.leaseOwner === lease.owner && row.fence === lease.fence;
  if (!held || row.leaseUntil === null || row.leaseUntil <= now) throw lost(toJob(row));
  return changeJob(db, row, {
    leaseUntil: now + lease.leaseMs,
    ...(progress === undefined ? {} : { progress: jsonColumn(progress) }),
  });
}

function lost(job: Job): TidemarkError {
  const text =
    job.lease === undefined
      ? `is ${job.state}`
      : `is held by ${job.lease.owner} until ${job.lease.until.toISOString()}`;
  return new TidemarkError('JOB_LOST', `the lease of job ${job.id} is lost: it ${text}`, { subject: `job.${job.id}` });
}
