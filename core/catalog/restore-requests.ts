import type { Kysely } from 'kysely';
import { jsonColumn, toTime } from './columns.ts';
import type { BackupRow, JobRow, Tables } from './tables.ts';

/** A step of the schema: restores keep the plan that was made for them. Earlier ones named a backup and a target. */
export async function restoreRequests(db: Kysely<Tables>): Promise<void> {
  const jobs = await db
    .selectFrom('job')
    .select(['id', 'source', 'destination', 'request'])
    .where('kind', '=', 'restore')
    .execute();
  for (const job of jobs) {
    const named = JSON.parse(job.request) as NamedRestore;
    if (typeof named.backup !== 'string') continue;
    const copy = await db
      .selectFrom('backup')
      .select(['destination', 'snapshot', 'plan', 'driver', 'consistentAt', 'partial'])
      .where('id', '=', named.backup)
      .orderBy('endedAt')
      .executeTakeFirst();
    const request = jsonColumn(planOf(job, named, copy));
    await db.updateTable('job').set({ request }).where('id', '=', job.id).execute();
  }
}

interface NamedRestore {
  readonly backup: unknown;
  readonly into?: unknown;
  readonly [option: string]: unknown;
}

/** Of a backup that is not known any more only the id is left; no restore of it can run. */
function planOf(
  { source, destination }: Pick<JobRow, 'source' | 'destination'>,
  { backup: id, into, ...options }: NamedRestore,
  copy: Pick<BackupRow, 'destination' | 'snapshot' | 'plan' | 'driver' | 'consistentAt' | 'partial'> | undefined,
) {
  const unknown = { destination: destination ?? '', snapshot: '', plan: '', driver: '' };
  const { consistentAt, partial, ...known } = copy ?? { ...unknown, consistentAt: 0, partial: 0 };
  const backup = { id, source, ...known, consistentAt: toTime(consistentAt), partial: partial === 1 };
  return { backup, target: into, only: [], ...options, why: 'it was named', alternatives: [] };
}
