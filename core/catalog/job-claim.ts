import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely';
import type { ClaimRequest, Job, JobUse, Rival } from './catalog.ts';
import { fromJson } from './columns.ts';
import { changeJob, toJob } from './job-row.ts';
import { clash, type Identities } from './job-uses.ts';
import type { JobRow, Tables } from './tables.ts';

/**
 * Starts the next attempt of a job; its fence is greater than that of any earlier hold of it.
 *
 * Which job is free is worked out beforehand, without a lock: from all running jobs, by a rule that SQL cannot say. It is
 * taken only when no other job was claimed, and nothing renamed, since: every claim counts up `state.claims`, and one
 * that finds another number than it began with begins anew. So two jobs that clash never start at a time, however many
 * processes claim, and at each collision one of them succeeds.
 */
export async function claim(db: Kysely<Tables>, request: ClaimRequest, now: () => number): Promise<Job | undefined> {
  for (;;) {
    const { claims } = await db.selectFrom('state').select('claims').executeTakeFirstOrThrow();
    const row = await oldestFree(db, request, now());
    if (row === undefined) return undefined;
    const job = await db.transaction().execute((transaction) => take(transaction, row, claims, request, now()));
    if (job !== undefined) return job;
  }
}

/** The running jobs that clash with one that has these uses. */
export async function rivals(db: Kysely<Tables>, uses: readonly JobUse[]): Promise<readonly Rival[]> {
  const running = await db.selectFrom('job').selectAll().where('state', '=', 'running').orderBy('startedAt').execute();
  const identities = running.length === 0 ? new Map() : await readIdentities(db);
  return running.map(toJob).flatMap((job) => {
    const use = clash(uses, job.uses, identities);
    return use === undefined ? [] : [{ job, use }];
  });
}

async function oldestFree(db: Kysely<Tables>, request: ClaimRequest, now: number): Promise<JobRow | undefined> {
  const running = await db.selectFrom('job').select('uses').where('state', '=', 'running').execute();
  const taken = running.flatMap(({ uses }) => fromJson<readonly JobUse[]>(uses) ?? []);
  const identities = taken.length === 0 ? new Map() : await readIdentities(db);
  for (let offset = 0; ; offset += batchSize) {
    const rows = await dueJobs(db, request, now).offset(offset).execute();
    const free = rows.find(
      ({ uses }) => clash(fromJson<readonly JobUse[]>(uses) ?? [], taken, identities) === undefined,
    );
    if (free !== undefined || rows.length < batchSize) return free;
  }
}

/** Jobs that wait for others are looked at so many at a time: mostly the first is free. */
const batchSize = 200;

async function readIdentities(db: Kysely<Tables>): Promise<Identities> {
  const rows = await db
    .selectFrom('resource')
    .select(['address', 'identity'])
    .where('collection', 'in', ['sources', 'destinations'])
    .where('identity', 'is not', null)
    .execute();
  return new Map(rows.map(({ address, identity }) => [address, identity!]));
}

function dueJobs(
  db: Kysely<Tables>,
  { id, kinds }: ClaimRequest,
  now: number,
): SelectQueryBuilder<Tables, 'job', JobRow> {
  let query = db
    .selectFrom('job')
    .selectAll()
    .where('state', '=', 'queued')
    .where((is) => is.or([is('notBefore', 'is', null), is('notBefore', '<=', now)]));
  if (id !== undefined) query = query.where('id', '=', id);
  if (kinds !== undefined) query = query.where('kind', 'in', [...kinds]);
  return query.orderBy('queuedAt').orderBy('id').limit(batchSize);
}

/** Undefined when somebody else was faster, with this job or another one. */
async function take(
  db: Transaction<Tables>,
  row: JobRow,
  claims: number,
  { owner, leaseMs }: ClaimRequest,
  now: number,
): Promise<Job | undefined> {
  const turn = await db
    .updateTable('state')
    .set({ claims: claims + 1 })
    .where('claims', '=', claims)
    .executeTakeFirstOrThrow();
  if (turn.numUpdatedRows === 0n) return undefined;
  return changeJob(db, row, {
    state: 'running',
    attempt: row.attempt + 1,
    startedAt: now,
    notBefore: null,
    progress: null,
    error: null,
    leaseOwner: owner,
    leaseUntil: now + leaseMs,
    fence: row.fence + 1,
  });
}
