import type { Kysely } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobChange, JobState } from './catalog.ts';
import { jsonColumn, timeColumn } from './columns.ts';
import { changeJob, readJob } from './job-row.ts';
import { canTransition } from './job-state.ts';
import type { JobRow, Tables } from './tables.ts';

export async function transition(
  db: Kysely<Tables>,
  job: Job,
  to: JobState,
  change: JobChange,
  now: number,
): Promise<Job> {
  if (to === 'running')
    throw new TidemarkError('BUG', 'a job starts to run by a claim only', { subject: subject(job.id) });
  return untilChanged(db, job.id, (row) => {
    const same = row.state === job.state && (row.state !== 'running' || row.fence === job.lease?.fence);
    if (!same) throw conflict(job.id, `it was changed by someone else and is ${row.state} now`);
    if (!canTransition(job.state, to)) throw conflict(job.id, `it is ${job.state} and cannot become ${to}`);
    return leave(row, to === 'queued' && row.cancelRequested === 1 ? 'cancelled' : to, change, now);
  });
}

export async function requestCancel(db: Kysely<Tables>, id: string, now: number): Promise<Job> {
  return untilChanged(db, id, (row) => {
    if (row.state === 'running') return { cancelRequested: 1 };
    if (!canTransition(row.state as JobState, 'cancelled')) throw conflict(id, `it is ${row.state} already`);
    return { ...leave(row, 'cancelled', {}, now), cancelRequested: 1 };
  });
}

/** Decides again by the newest row as often as somebody else changed it in between. */
async function untilChanged(db: Kysely<Tables>, id: string, decide: (row: JobRow) => Partial<JobRow>): Promise<Job> {
  for (;;) {
    const row = await readJob(db, id);
    const job = await changeJob(db, row, decide(row));
    if (job !== undefined) return job;
  }
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
