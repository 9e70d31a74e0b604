import type { Transaction } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobChange, JobState } from './catalog.ts';
import { jsonColumn, timeColumn } from './columns.ts';
import { changeJob, readJob } from './job-row.ts';
import { canTransition } from './job-state.ts';
import type { JobRow, Tables } from './tables.ts';

export async function transition(
  db: Transaction<Tables>,
  job: Job,
  to: JobState,
  change: JobChange,
  now: number,
): Promise<Job> {
  if (to === 'running')
    throw new TidemarkError('BUG', 'a job starts to run by a claim only', { subject: subject(job.id) });
  const row = await readJob(db, job.id);
  const same = row.state === job.state && (row.state !== 'running' || row.fence === job.lease?.fence);
  if (!same) throw conflict(job.id, `it was changed by someone else and is ${row.state} now`);
  if (!canTransition(job.state, to)) throw conflict(job.id, `it is ${job.state} and cannot become ${to}`);
  return changeJob(db, row, leave(row, to === 'queued' && row.cancelRequested === 1 ? 'cancelled' : to, change, now));
}

export async function requestCancel(db: Transaction<Tables>, id: string, now: number): Promise<Job> {
  const row = await readJob(db, id);
  if (row.state === 'running') return changeJob(db, row, { cancelRequested: 1 });
  if (!canTransition(row.state as JobState, 'cancelled')) throw conflict(id, `it is ${row.state} already`);
  return changeJob(db, row, { ...leave(row, 'cancelled', {}, now), cancelRequested: 1 });
}

/** The columns of a job that goes to a state in which nobody holds it. */
function leave(row: JobRow, to: JobState, change: JobChange, now: number): Partial<JobRow> {
  const queued = to === 'queued';
  return {
    state: to,
    leaseOwner: null,
    leaseUntil: null,
    endedAt: queued ? null : now,
    notBefore: queued ? timeColumn(change.notBefore) : null,
    error: jsonColumn(change.error) ?? row.error,
    result: jsonColumn(change.result),
    progress: jsonColumn(change.progress) ?? row.progress,
  };
}

function conflict(id: string, text: string): TidemarkError {
  return new TidemarkError('JOB_CONFLICT', `job ${id}: ${text}`, { subject: subject(id) });
}

function subject(id: string): string {
  return `job.${id}`;
}
