import type { Kysely } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { Job, JobFilter, Jobs, ProcessFate } from './catalog.ts';
import { forgetJobs } from './forget.ts';
import { idPatterns, meantIds } from './id-part.ts';
import { claim, rivals } from './job-claim.ts';
import { renew } from './job-lease.ts';
import { addJob, toJob } from './job-row.ts';
import { requestCancel, transition } from './job-transition.ts';
import type { PartContext } from './part-context.ts';
import type { JobRow, Tables } from './tables.ts';

export function openJobs(context: PartContext): Jobs {
  const { db, clock, newId } = context;
  const now = () => clock.now().getTime();
  return {
    add: (job) => addJob(db, job, newId(), now()),
    get: (idPart) => get(db, idPart),
    list: (filter = {}) => list(db, filter),
    claim: (request) => claim(db, request, now),
    rivals: (uses) => rivals(db, uses),
    renew: (id, lease, progress) => renew(db, id, lease, progress, now()),
    transition: (job, to, change = {}, terms = {}) => transition(context, job, to, change, terms),
    requestCancel: (id) => requestCancel(db, id, now()),
    keepWaiting: (id, waiter) => keepWaiting(db, id, waiter, now()),
    abandoned: (fate) => abandoned(db, fate, clock.now()),
    forget: (limits) => forgetJobs(db, limits),
  };
}

async function get(db: Kysely<Tables>, idPart: string): Promise<Job> {
  const rows = await jobsLike(db, idPart);
  const ids = meantIds(
    idPart,
    rows.map(({ id }) => id),
  );
  const row = rows.find(({ id }) => id === ids[0]);
  if (row !== undefined && ids.length === 1) return toJob(row);
  throw new TidemarkError(
    'JOB_NOT_FOUND',
    row === undefined ? `there is no job ${idPart}` : `${idPart} fits several jobs`,
    {
      hint: 'Run `tidemark jobs` to list them.',
    },
  );
}

async function jobsLike(db: Kysely<Tables>, idPart: string): Promise<readonly JobRow[]> {
  const patterns = idPatterns(idPart);
  if (patterns === undefined) return [];
  return db
    .selectFrom('job')
    .selectAll()
    .where((is) => is.or([is('id', 'like', patterns.start), is('id', 'like', patterns.end)]))
    .limit(10)
    .execute();
}

const defaultLimit = 100;

async function list(db: Kysely<Tables>, filter: JobFilter): Promise<readonly Job[]> {
  let query = db.selectFrom('job').selectAll().orderBy('queuedAt', 'desc').orderBy('id', 'desc');
  for (const field of ['kind', 'plan', 'source', 'destination'] as const) {
    const value = filter[field];
    if (value !== undefined) query = query.where(field, '=', value);
  }
  if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states]);
  if (filter.kinds !== undefined) query = query.where('kind', 'in', [...filter.kinds]);
  if (filter.since !== undefined) query = query.where('queuedAt', '>=', filter.since.getTime());
  const rows = await query.limit(filter.limit ?? defaultLimit).execute();
  return rows.map(toJob);
}

async function keepWaiting(
  db: Kysely<Tables>,
  id: string,
  { owner, leaseMs }: { owner: string; leaseMs: number },
  now: number,
): Promise<void> {
  await db
    .updateTable('job')
    .set({ waiterUntil: now + leaseMs })
    .where('id', '=', id)
    .where('waiterOwner', '=', owner)
    .execute();
}

async function abandoned(db: Kysely<Tables>, fate: (owner: string) => ProcessFate, now: Date): Promise<readonly Job[]> {
  const rows = await db
    .selectFrom('job')
    .selectAll()
    .where((is) =>
      is.or([is('state', '=', 'running'), is.and([is('state', '=', 'queued'), is('waiterOwner', 'is not', null)])]),
    )
    .orderBy('id')
    .execute();
  return rows.map(toJob).filter((job) => isAbandoned(job, fate, now));
}

function isAbandoned({ state, lease, waiter }: Job, fate: (owner: string) => ProcessFate, now: Date): boolean {
  const holder = state === 'running' ? lease : waiter;
  if (holder === undefined) return state === 'running';
  const known = fate(holder.owner);
  if (known === 'gone') return true;
  return holder.until <= now && (state === 'running' || known === 'unknown');
}
