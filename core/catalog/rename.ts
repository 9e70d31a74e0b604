import type { Transaction } from 'kysely';
import { TidemarkError } from '../error.ts';
import { jsonColumn } from './columns.ts';
import type { Tables } from './tables.ts';

/** Gives a resource a new address, and everything that the catalog knows under its name. Throws CHANGE_STALE without it. */
export async function renameResource(db: Transaction<Tables>, from: string, to: string): Promise<void> {
  const oldName = nameOf(from);
  const name = nameOf(to);
  const { numUpdatedRows } = await db
    .updateTable('resource')
    .set({ address: to, name })
    .where('address', '=', from)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) {
    throw new TidemarkError('CHANGE_STALE', `${from} cannot be renamed, it is not applied`, { subject: to });
  }
  const field = referenceFields[collectionOf(from)];
  if (field !== undefined) await renameReferences(db, field, oldName, name);
  if (field === 'plan') await db.updateTable('plan_status').set({ plan: name }).where('plan', '=', oldName).execute();
}

type ReferenceField = 'plan' | 'source' | 'destination';

const referenceFields: Readonly<Record<string, ReferenceField | undefined>> = {
  plans: 'plan',
  sources: 'source',
  destinations: 'destination',
};

async function renameReferences(
  db: Transaction<Tables>,
  field: ReferenceField,
  oldName: string,
  name: string,
): Promise<void> {
  await db
    .updateTable('backup')
    .set({ [field]: name })
    .where(field, '=', oldName)
    .execute();
  await db
    .updateTable('job')
    .set({ [field]: name })
    .where(field, '=', oldName)
    .execute();
  await renameInRequests(db, field, oldName, name);
}

/** A job that still waits must find what it was queued for. */
async function renameInRequests(
  db: Transaction<Tables>,
  field: ReferenceField,
  oldName: string,
  name: string,
): Promise<void> {
  const waiting = await db.selectFrom('job').select(['id', 'request']).where('state', '=', 'queued').execute();
  for (const { id, request } of waiting) {
    const content = JSON.parse(request) as Record<string, unknown>;
    if (content[field] !== oldName) continue;
    await db
      .updateTable('job')
      .set({ request: jsonColumn({ ...content, [field]: name }) })
      .where('id', '=', id)
      .execute();
  }
}

function collectionOf(address: string): string {
  return address.slice(0, address.indexOf('.'));
}

function nameOf(address: string): string {
  return address.slice(address.indexOf('.') + 1);
}
