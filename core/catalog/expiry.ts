import type { Kysely, Transaction } from 'kysely';
import { partialNow } from './backup-damage.ts';
import { batches } from './batches.ts';
import type { BackupRecord, CopyName, ExpiryObstacle, ExpiryTerms, NewEvent } from './catalog.ts';
import { recordEvent } from './events.ts';
import type { PartContext } from './part-context.ts';
import type { Tables } from './tables.ts';

/** How a job says which copies of backups it reads. */
export function copyThing({ snapshot }: Pick<CopyName, 'snapshot'>): string {
  return `copy:${snapshot}`;
}

/**
 * Two that expire the last two good backups of a plan at once must not both think that the other one stays: `state.claims`
 * is written first, so that they come one after the other on every database.
 */
export async function expire(
  { db, clock }: PartContext,
  copy: CopyName,
  terms: ExpiryTerms = {},
): Promise<ExpiryObstacle | undefined> {
  return db.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('state')
      .set((is) => ({ claims: is('claims', '+', 1) }))
      .execute();
    const found = await obstacle(transaction, copy, terms);
    if (found !== undefined) return found;
    await transaction
      .updateTable('backup')
      .set({ expiringAt: clock.now().getTime() })
      .where('destination', '=', copy.destination)
      .where('snapshot', '=', copy.snapshot)
      .where('expiringAt', 'is', null)
      .execute();
    return undefined;
  });
}

export async function obstacle(
  db: Kysely<Tables>,
  copy: CopyName,
  { evenTheLast = false, present }: ExpiryTerms = {},
): Promise<ExpiryObstacle | undefined> {
  const row = await db
    .selectFrom('backup')
    .select(['destination', 'snapshot', 'plan', 'source', 'pin', 'expiringAt'])
    .where('destination', '=', copy.destination)
    .where('snapshot', '=', copy.snapshot)
    .executeTakeFirst();
  if (row === undefined) return { why: 'gone' };
  if (row.expiringAt !== null) return undefined;
  if (row.pin !== null) return { why: 'pinned' };
  const job = await readerOf(db, copy);
  if (job !== undefined) return { why: 'read', job };
  return !evenTheLast && (await isLast(db, row, present)) ? { why: 'last' } : undefined;
}

/** A job that waits or runs and says that it reads the copy. */
async function readerOf(db: Kysely<Tables>, copy: CopyName): Promise<string | undefined> {
  const job = await db
    .selectFrom('job')
    .select('id')
    .where('state', 'in', ['queued', 'running'])
    .where('uses', 'like', `%"${copyThing(copy)}"%`)
    .orderBy('id')
    .executeTakeFirst();
  return job?.id;
}

async function isLast(
  db: Kysely<Tables>,
  { plan, source, destination, snapshot }: Pick<BackupRecord, 'plan' | 'source' | 'destination' | 'snapshot'>,
  present: ReadonlySet<string> | undefined,
): Promise<boolean> {
  const copies = await db
    .selectFrom('backup')
    .select('snapshot')
    .where('plan', '=', plan)
    .where('source', '=', source)
    .where('destination', '=', destination)
    .where('expiringAt', 'is', null)
    .orderBy(partialNow())
    .orderBy('consistentAt', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return copies.find((copy) => present?.has(copy.snapshot) ?? true)?.snapshot === snapshot;
}

export async function forgetExpiring(
  { db, clock, newId }: PartContext,
  destination: string,
  snapshots: readonly string[],
  events: readonly NewEvent[] = [],
): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    let forgotten = 0;
    for (const batch of batches(snapshots, 500)) forgotten += await deleteExpiring(transaction, destination, batch);
    for (const event of events) await recordEvent(transaction, event, newId, clock.now().getTime());
    return forgotten;
  });
}

async function deleteExpiring(db: Transaction<Tables>, destination: string, snapshots: readonly string[]) {
  const { numDeletedRows } = await db
    .deleteFrom('backup')
    .where('destination', '=', destination)
    .where('snapshot', 'in', [...snapshots])
    .where('expiringAt', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
