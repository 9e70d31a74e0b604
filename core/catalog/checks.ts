import type { Kysely, Transaction } from 'kysely';
import type { CheckStatus, Checks } from './check-status.ts';
import { jsonColumn } from './columns.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { Tables } from './tables.ts';

export function openChecks({ db }: PartContext): Checks {
  return {
    get: (destination) => get(db, destination),
    put: (status) => db.transaction().execute((transaction) => put(transaction, status)),
  };
}

const times = ['checkedAt', 'roundSince', 'readWholeAt'] as const;

async function get(db: Kysely<Tables>, destination: string): Promise<CheckStatus> {
  const row = await db.selectFrom('check_status').selectAll().where('destination', '=', destination).executeTakeFirst();
  if (row === undefined) return { destination, suspects: [] };
  const status = JSON.parse(row.status) as CheckStatus;
  const dates = times.flatMap((field) => (status[field] === undefined ? [] : [[field, new Date(status[field])]]));
  return { ...status, ...Object.fromEntries(dates), destination };
}

async function put(db: Transaction<Tables>, { destination, ...status }: CheckStatus): Promise<void> {
  const address = `destinations.${destination}`;
  const applied = await db.selectFrom('resource').select('address').where('address', '=', address).executeTakeFirst();
  if (applied === undefined) return;
  await forgetChecks(db, destination);
  await db
    .insertInto('check_status')
    .values(fitting('check_status', { destination, status: jsonColumn(status) }))
    .execute();
}

/** Of a destination that is no more, or is another repository now. */
export async function forgetChecks(db: Transaction<Tables>, destination: string): Promise<void> {
  await db.deleteFrom('check_status').where('destination', '=', destination).execute();
}

export async function renameChecks(db: Transaction<Tables>, oldName: string, name: string): Promise<void> {
  await forgetChecks(db, name);
  await db.updateTable('check_status').set({ destination: name }).where('destination', '=', oldName).execute();
}
