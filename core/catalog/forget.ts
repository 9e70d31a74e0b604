import type { ExpressionBuilder, Kysely } from 'kysely';
import { jobStates, type KeepLimits } from './catalog.ts';
import { isFinal } from './job-state.ts';
import type { Tables } from './tables.ts';

/** What one call deletes at most, so that no other writer waits long for it. */
const batchSize = 500;

export async function forgetJobs(db: Kysely<Tables>, limits: KeepLimits): Promise<number> {
  const byAge = db.selectFrom('job').select('queuedAt').orderBy('queuedAt', 'desc');
  const oldestToStay = await byAge
    .offset(limits.most - 1)
    .limit(1)
    .executeTakeFirst();
  const rows = await db
    .selectFrom('job')
    .select('id')
    .where('queuedAt', '<', endOfOld(limits, oldestToStay?.queuedAt))
    .where('state', 'in', jobStates.filter(isFinal))
    .where(hasNewer)
    .orderBy('queuedAt')
    .limit(batchSize)
    .execute();
  return deleteRows(db, 'job', rows);
}

export async function forgetEvents(db: Kysely<Tables>, limits: KeepLimits): Promise<number> {
  const byAge = db.selectFrom('event').select('lastAt').orderBy('lastAt', 'desc');
  const oldestToStay = await byAge
    .offset(limits.most - 1)
    .limit(1)
    .executeTakeFirst();
  const rows = await db
    .selectFrom('event')
    .select('id')
    .where('lastAt', '<', endOfOld(limits, oldestToStay?.lastAt))
    .orderBy('lastAt')
    .limit(batchSize)
    .execute();
  return deleteRows(db, 'event', rows);
}

/** What is before this time is past one of the limits. Of those that came at one time all stay, or all go. */
function endOfOld({ before }: KeepLimits, oldestToStay: number | undefined): number {
  return Math.max(before.getTime(), oldestToStay ?? 0);
}

/** A newer job of the same source, plan, destination, kind and state: status and metrics are computed from the newest of each. */
function hasNewer({ exists, selectFrom }: ExpressionBuilder<Tables, 'job'>) {
  return exists(
    selectFrom('job as newer')
      .select('newer.id')
      .whereRef('newer.source', '=', 'job.source')
      .whereRef('newer.kind', '=', 'job.kind')
      .whereRef('newer.state', '=', 'job.state')
      .where(({ and, or, eb, ref }) =>
        and([
          ...(['plan', 'destination'] as const).map((field) =>
            or([
              eb(`newer.${field}`, '=', ref(`job.${field}`)),
              and([eb(`newer.${field}`, 'is', null), eb(`job.${field}`, 'is', null)]),
            ]),
          ),
          or([
            eb('newer.queuedAt', '>', ref('job.queuedAt')),
            and([eb('newer.queuedAt', '=', ref('job.queuedAt')), eb('newer.id', '>', ref('job.id'))]),
          ]),
        ]),
      ),
  );
}

/** By ids that were read before: what has ended stays so, and MySQL deletes no rows that a subquery of it reads. */
async function deleteRows(
  db: Kysely<Tables>,
  table: 'job' | 'event',
  rows: readonly { readonly id: string }[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', ids).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
