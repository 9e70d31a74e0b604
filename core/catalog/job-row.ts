import type { Kysely } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobError, JobProgress, JobState, JobUse, NewJob } from './catalog.ts';
import { fromJson, jsonColumn, toTime } from './columns.ts';
import { canTransition } from './job-state.ts';
import { fitting } from './lengths.ts';
import type { JobRow, Tables } from './tables.ts';

export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state as JobState,
    trigger: row.trigger as Job['trigger'],
    source: row.source,
    plan: row.plan ?? undefined,
    destination: row.destination ?? undefined,
    request: fromJson(row.request),
    uses: fromJson<readonly JobUse[]>(row.uses) ?? [],
    attempt: row.attempt,
    attempts: row.attempts,
    queuedAt: toTime(row.queuedAt),
    notBefore: toTime(row.notBefore),
    startedAt: toTime(row.startedAt),
    endedAt: toTime(row.endedAt),
    progress: toProgress(row.progress),
    error: fromJson<JobError>(row.error),
    result: fromJson<Readonly<Record<string, unknown>>>(row.result),
    cancelRequested: row.cancelRequested === 1,
    lease: toLease(row),
    ...(row.waiterOwner === null ? {} : { waiter: { owner: row.waiterOwner, until: toTime(row.waiterUntil ?? 0) } }),
  };
}

export async function addJob(db: Kysely<Tables>, job: NewJob, id: string, now: number): Promise<Job> {
  const state = job.state ?? 'queued';
  const row: JobRow = {
    id,
    kind: job.kind,
    state,
    trigger: job.trigger,
    source: job.source,
    plan: job.plan ?? null,
    destination: job.destination ?? null,
    request: jsonColumn(job.request),
    uses: jsonColumn(job.uses),
    attempt: 0,
    attempts: job.attempts,
    queuedAt: now,
    notBefore: null,
    startedAt: null,
    endedAt: state === 'missed' ? now : null,
    progress: null,
    error: null,
    result: null,
    cancelRequested: 0,
    leaseOwner: null,
    leaseUntil: null,
    waiterOwner: job.waiter?.owner ?? null,
    waiterUntil: job.waiter === undefined ? null : now + job.waiter.leaseMs,
    fence: 0,
  };
  await db.insertInto('job').values(fitting('job', row)).execute();
  return toJob(row);
}

/** The row of a job that was there before. Throws JOB_NOT_FOUND. */
export async function readJob(db: Kysely<Tables>, id: string): Promise<JobRow> {
  const row = await db.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new TidemarkError('JOB_NOT_FOUND', `there is no job ${id}`);
  return row;
}

/**
 * The only way that a state changes, and by no other than `jobTransitions` has. Compare-and-set: undefined, and nothing
 * done, when the job went on since the row was read, or a cancel was asked.
 */
export async function changeJob(db: Kysely<Tables>, row: JobRow, change: Partial<JobRow>): Promise<Job | undefined> {
  const { state: from } = row as { state: JobState };
  const to = (change.state ?? from) as JobState;
  if (to !== from && !canTransition(from, to)) throw new TidemarkError('BUG', `job ${row.id}: from ${from} to ${to}`);
  const { numUpdatedRows } = await db
    .updateTable('job')
    .set(change)
    .where('id', '=', row.id)
    .where('state', '=', row.state)
    .where('fence', '=', row.fence)
    .where('cancelRequested', '=', row.cancelRequested)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 0n ? undefined : toJob({ ...row, ...change });
}

function toProgress(column: string | null): JobProgress | undefined {
  const progress = fromJson<JobProgress>(column);
  return progress === undefined ? undefined : { ...progress, at: new Date(progress.at) };
}

function toLease(row: JobRow): Job['lease'] {
  if (row.leaseOwner === null || row.leaseUntil === null) return undefined;
  return { owner: row.leaseOwner, until: new Date(row.leaseUntil), fence: row.fence };
}
