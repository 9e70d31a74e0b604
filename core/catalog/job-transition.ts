import type { Kysely, Transaction } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobChange, JobError, JobState, Settlement, TransitionTerms } from './catalog.ts';
import { jsonColumn, timeColumn } from './columns.ts';
import { recordEvent } from './events.ts';
import { changeJob, readJob, toJob } from './job-row.ts';
import { canTransition } from './job-state.ts';
import type { PartContext } from './part-context.ts';
import { updateApplied } from './plan-statuses.ts';
import type { JobRow, Tables } from './tables.ts';

export async function transition(
  context: PartContext,
  job: Job,
  to: JobState,
  change: JobChange,
  { settlement, unlessRenewed = false }: TransitionTerms,
): Promise<Job> {
  const { db, clock } = context;
  if (to === 'running')
    throw new TidemarkError('BUG', 'a job starts to run by a claim only', { subject: subject(job.id) });
  const decide = (row: JobRow) => {
    if (!isSame(row, job)) throw conflict(job.id, `it was changed by someone else and is ${row.state} now`);
    if (unlessRenewed && row.leaseUntil !== (job.lease?.until.getTime() ?? null)) {
      throw conflict(job.id, 'its lease was renewed');
    }
    if (!canTransition(job.state, to)) throw conflict(job.id, `it is ${job.state} and cannot become ${to}`);
    const reached = to === 'queued' && row.cancelRequested === 1 ? 'cancelled' : to;
    return leave(row, reached, change, clock.now().getTime());
  };
  return untilChanged(db, job.id, decide, async (transaction, changed) => {
    if (settlement !== undefined) await keep(context, transaction, changed, settlement(changed));
  });
}

function isSame(row: JobRow, job: Job): boolean {
  return row.state === job.state && (row.state !== 'running' || row.fence === job.lease?.fence);
}

async function keep(
  { newId, clock }: PartContext,
  db: Transaction<Tables>,
  { plan }: Job,
  { event, status }: Settlement,
): Promise<void> {
  if (plan !== undefined && status !== undefined) await updateApplied(db, plan, status);
  await recordEvent(db, event, newId, clock.now().getTime());
}

export async function requestCancel(db: Kysely<Tables>, id: string, now: number): Promise<Job> {
  return untilChanged(db, id, (row) => {
    if (row.state === 'running') return { cancelRequested: 1 };
    if (!canTransition(row.state as JobState, 'cancelled')) throw conflict(id, `it is ${row.state} already`);
    return { ...leave(row, 'cancelled', {}, now), cancelRequested: 1 };
  });
}

/**
 * What waits of a removed plan, or belongs to a removed destination itself: in the transaction that removes it, in which
 * none of it can be claimed.
 */
export async function cancelQueued(
  db: Transaction<Tables>,
  of: { readonly plan: string } | { readonly destination: string },
  error: JobError,
  now: number,
): Promise<void> {
  const queued = db.selectFrom('job').selectAll().where('state', '=', 'queued');
  const rows = await ('plan' in of
    ? queued.where('plan', '=', of.plan)
    : queued.where('destination', '=', of.destination).where('source', '=', '')
  ).execute();
  for (const row of rows) await changeJob(db, row, leave(row, 'cancelled', { error }, now));
}

/** Decides again by the newest row as often as somebody else changed it in between. `also` is part of the change. */
async function untilChanged(
  db: Kysely<Tables>,
  id: string,
  decide: (row: JobRow) => Partial<JobRow>,
  also: (transaction: Transaction<Tables>, changed: Job) => Promise<void> = async () => {},
): Promise<Job> {
  for (;;) {
    const row = await readJob(db, id); // outside of the transaction, which may go on seeing what it saw first
    const job = await db.transaction().execute(async (transaction) => {
      const changed = await changeJob(transaction, row, decide(row));
      if (changed === undefined) return undefined;
      const now = toJob(await readJob(transaction, id)); // a rename may have come since the row was read
      await also(transaction, now);
      return now;
    });
    if (job !== undefined) return job;
  }
}

/** The columns of a job that goes to a state in which nobody holds it. */
function leave(row: JobRow, to: JobState, change: JobChange, now: number): Partial<JobRow> {
  const queued = to === 'queued';
  return {
    state: to,
    attempt: change.attempt ?? row.attempt,
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
