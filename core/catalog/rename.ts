import type { Transaction } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { JobUse } from './catalog.ts';
import { renameChecks } from './checks.ts';
import { fromJson, jsonColumn } from './columns.ts';
import { renamedUse } from './job-uses.ts';
import { fitting } from './lengths.ts';
import type { Tables } from './tables.ts';

/** Gives a resource a new address, and everything that the catalog knows under its name. Throws CHANGE_STALE without it. */
export async function renameResource(db: Transaction<Tables>, from: string, to: string): Promise<void> {
  const oldName = nameOf(from);
  const name = nameOf(to);
  const { numUpdatedRows } = await db
    .updateTable('resource')
    .set(fitting('resource', { address: to, name }))
    .where('address', '=', from)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) {
    throw new TidemarkError('CHANGE_STALE', `${from} cannot be renamed, it is not applied`, { subject: to });
  }
  const field = referenceFields[collectionOf(from)];
  if (field !== undefined) await renameReferences(db, field, oldName, name);
  if (field === 'plan') await renameStatus(db, oldName, name);
  if (field === 'destination') await renameChecks(db, oldName, name);
  if (field === 'destination') await renameDestinationStatus(db, oldName, name);
  if (field === 'destination') await renameStates(db, from, to);
}

/** Events that say how a repository is, until another one says otherwise: they go with it. */
const stateKinds: readonly string[] = ['repository.damaged', 'repository.mended', 'repository.emptied'];

/** Those that have the new address already are of a destination that is no more. */
async function renameStates(db: Transaction<Tables>, from: string, to: string): Promise<void> {
  await db.deleteFrom('event').where('subject', '=', to).where('kind', 'in', stateKinds).execute();
  const renamed = db.updateTable('event').set(fitting('event', { subject: to }));
  await renamed.where('subject', '=', from).where('kind', 'in', stateKinds).execute();
}

/** A status that has the new name already is of a plan that is no more. */
async function renameStatus(db: Transaction<Tables>, oldName: string, name: string): Promise<void> {
  await db.deleteFrom('plan_status').where('plan', '=', name).execute();
  await db.updateTable('plan_status').set({ plan: name }).where('plan', '=', oldName).execute();
}

async function renameDestinationStatus(db: Transaction<Tables>, destination: string, name: string): Promise<void> {
  await db.deleteFrom('destination_status').where('destination', '=', name).execute();
  const renamed = db.updateTable('destination_status').set({ destination: name });
  await renamed.where('destination', '=', destination).execute();
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
  await renameInJobs(db, field, oldName, name);
}

/**
 * A job that waits, and one that runs and may have to be tried again, must find what it was queued for; one that has ended
 * goes on telling what it did to the resource.
 */
async function renameInJobs(
  db: Transaction<Tables>,
  field: ReferenceField,
  oldName: string,
  name: string,
): Promise<void> {
  const [from, to] = [`${field}s.${oldName}`, `${field}s.${name}`];
  const jobs = await db
    .selectFrom('job')
    .select(['id', 'request', 'uses'])
    .where((is) => is.or([is('request', 'like', `%"${oldName}"%`), is('uses', 'like', `%${from}"%`)]))
    .execute(); // some of them name something else so
  for (const { id, request, uses } of jobs) {
    const renamed = {
      request: jsonColumn(renameIn(JSON.parse(request), field, oldName, name) as object),
      uses: jsonColumn(fromJson<readonly JobUse[]>(uses)?.map((use) => renamedUse(use, from, to))),
    };
    if (renamed.request === request && renamed.uses === uses) continue;
    await db.updateTable('job').set(renamed).where('id', '=', id).execute();
  }
}

/** A request names resources by the field that is called so, at whatever depth: `plan`, `target.source`. */
function renameIn(value: unknown, field: ReferenceField, oldName: string, name: string): unknown {
  if (Array.isArray(value)) return value.map((one) => renameIn(one, field, oldName, name));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [
    key,
    key === field && one === oldName ? name : renameIn(one, field, oldName, name),
  ]);
  return Object.fromEntries(entries);
}

function collectionOf(address: string): string {
  return address.slice(0, address.indexOf('.'));
}

function nameOf(address: string): string {
  return address.slice(address.indexOf('.') + 1);
}
