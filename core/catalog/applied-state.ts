import type { Kysely, Transaction } from 'kysely';
import type { Collection, Resource } from '../config/index.ts';
import { TidemarkError } from '../error.ts';
import type { AppliedResource, AppliedState, AppliedStates, JobError, StateChange } from './catalog.ts';
import { forgetChecks } from './checks.ts';
import { jsonColumn, toTime } from './columns.ts';
import { recordEvent } from './events.ts';
import { cancelQueued } from './job-transition.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import { update } from './plan-statuses.ts';
import { renameResource } from './rename.ts';
import type { ResourceRow, Tables } from './tables.ts';

export function openAppliedState(context: PartContext): AppliedStates {
  const { db } = context;
  return {
    read: () => readState(db),
    commit: (change) => db.transaction().execute((transaction) => commit(context, transaction, change)),
  };
}

/** One statement, so that the serial belongs to the resources without a lock. */
async function readState(db: Kysely<Tables>): Promise<AppliedState> {
  const rows = await db
    .selectFrom('state')
    .leftJoin('resource', (join) => join.onTrue())
    .select(['lineage', 'serial', 'appliedAt'])
    .select(['address', 'collection', 'name', 'spec', 'identity', 'createdAt', 'updatedAt'])
    .orderBy('address')
    .execute();
  const { lineage, serial, appliedAt } = rows[0]!;
  const resources = rows.filter((row): row is (typeof rows)[number] & ResourceRow => row.address !== null);
  return {
    lineage,
    serial,
    appliedAt: toTime(appliedAt),
    resources: new Map(resources.map((row) => [row.address, toResource(row)])),
  };
}

async function commit(
  { clock, newId }: PartContext,
  db: Transaction<Tables>,
  change: StateChange,
): Promise<AppliedState> {
  const now = clock.now();
  await advance(db, change.expectedSerial, now);
  for (const address of change.remove) await remove(db, address, now);
  for (const { from, to } of change.rename) await renameResource(db, from, to);
  for (const resource of change.put) await put(db, resource, now.getTime());
  for (const plan of change.retime?.plans ?? []) await update(db, plan, { scheduledThrough: change.retime!.since });
  if (change.event !== undefined) await recordEvent(db, change.event, newId, now.getTime());
  return readState(db);
}

/** First of all: commits that come at once wait here for each other. Claims go by names and identities, so they begin anew. */
async function advance(db: Transaction<Tables>, expectedSerial: number, now: Date): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('state')
    .set((is) => ({ serial: expectedSerial + 1, appliedAt: now.getTime(), claims: is('claims', '+', 1) }))
    .where('serial', '=', expectedSerial)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  const { serial } = await db.selectFrom('state').select('serial').executeTakeFirstOrThrow();
  throw stale(expectedSerial, serial);
}

function stale(expected: number, actual: number): TidemarkError {
  return new TidemarkError(
    'CHANGE_STALE',
    `the applied state has serial ${actual}, the change was made for ${expected}`,
    {
      hint: 'Run `tidemark plan` again and apply what it shows.',
    },
  );
}

async function remove(db: Transaction<Tables>, address: string, now: Date): Promise<void> {
  const row = await find(db, address);
  if (row === undefined) return;
  await db.deleteFrom('resource').where('address', '=', address).execute();
  if (row.collection === 'plans') await forgetPlan(db, row.name, now);
  if (row.collection === 'destinations') await forgetDestination(db, row.name, now);
}

async function forgetPlan(db: Transaction<Tables>, plan: string, now: Date): Promise<void> {
  await db.deleteFrom('plan_status').where('plan', '=', plan).execute();
  const error: JobError = { code: 'CANCELLED', message: `plan ${plan} was removed before the job began` };
  await cancelQueued(db, { plan }, error, now.getTime());
}

async function forgetDestination(db: Transaction<Tables>, destination: string, now: Date): Promise<void> {
  await forgetBackups(db, destination);
  await db.deleteFrom('destination_status').where('destination', '=', destination).execute();
  const error: JobError = { code: 'CANCELLED', message: `destination ${destination} was removed before the job began` };
  await cancelQueued(db, { destination }, error, now.getTime());
}

async function put(
  db: Transaction<Tables>,
  resource: Resource & { readonly identity?: string },
  now: number,
): Promise<void> {
  const { address, collection, name } = resource;
  const before = await find(db, address);
  const identity = resource.identity ?? before?.identity ?? null;
  const content = { spec: jsonColumn(resource.spec), identity, updatedAt: now };
  if (before === undefined) {
    await db
      .insertInto('resource')
      .values(fitting('resource', { address, collection, name, createdAt: now, ...content }))
      .execute();
    // One that is there is of an earlier plan of that name.
    if (collection === 'plans') await db.deleteFrom('plan_status').where('plan', '=', name).execute();
    return;
  }
  await db.updateTable('resource').set(content).where('address', '=', address).execute();
  const moved = before.identity !== null && before.identity !== identity;
  if (collection === 'destinations' && moved) await forgetBackups(db, name);
}

function find(db: Transaction<Tables>, address: string): Promise<ResourceRow | undefined> {
  return db.selectFrom('resource').selectAll().where('address', '=', address).executeTakeFirst();
}

async function forgetBackups(db: Transaction<Tables>, destination: string): Promise<void> {
  await db.deleteFrom('backup').where('destination', '=', destination).execute();
  await forgetChecks(db, destination);
}

function toResource(row: ResourceRow): AppliedResource {
  return {
    address: row.address,
    collection: row.collection as Collection,
    name: row.name,
    spec: JSON.parse(row.spec),
    ...(row.identity === null ? {} : { identity: row.identity }),
    createdAt: toTime(row.createdAt),
    updatedAt: toTime(row.updatedAt),
  };
}
