import type { Kysely, Transaction } from 'kysely';
import type { Job, NewEvent, PlanStatus, PlanStatusChange, PlanStatuses } from './catalog.ts';
import { fromJson, jsonColumn, timeColumn, toTime } from './columns.ts';
import { recordEvent } from './events.ts';
import { addJob } from './job-row.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { PlanStatusRow, Tables } from './tables.ts';

export function openPlanStatuses(context: PartContext): PlanStatuses {
  const { db } = context;
  return {
    list: async () => (await db.selectFrom('plan_status').selectAll().orderBy('plan').execute()).map(toStatus),
    get: (plan) => get(db, plan),
    update: (plan, change) => update(db, plan, change),
    updateFrom: (before, change, event) => updateFrom(context, before, change, event),
    schedule: (decision) => schedule(context, decision),
  };
}

async function get(db: Kysely<Tables>, plan: string): Promise<PlanStatus> {
  const row = await db.selectFrom('plan_status').selectAll().where('plan', '=', plan).executeTakeFirst();
  return row === undefined ? { plan } : toStatus(row);
}

export async function update(db: Kysely<Tables>, plan: string, change: PlanStatusChange): Promise<PlanStatus> {
  const columns = columnsOf(change);
  if (Object.keys(columns).length > 0) await put(db, plan, columns);
  return get(db, plan);
}

async function updateFrom(
  { db, clock, newId }: PartContext,
  before: PlanStatus,
  change: PlanStatusChange,
  event: NewEvent | undefined,
): Promise<PlanStatus | undefined> {
  const columns = columnsOf(change);
  const untouched = (Object.keys(columns) as (keyof PlanStatusRow)[]).every((field) => toRow(before)[field] === null);
  if (untouched) await insert(db, before.plan, {}); // there may be no row yet
  const changed = await db.transaction().execute(async (transaction) => {
    if (!(await changeUnlessMoved(transaction, before, columns))) return false;
    if (event !== undefined) await recordEvent(transaction, event, newId, clock.now().getTime());
    return true;
  });
  return changed ? get(db, before.plan) : undefined;
}

/** False when one of the columns is not as it was. */
async function changeUnlessMoved(
  db: Transaction<Tables>,
  before: PlanStatus,
  columns: Partial<PlanStatusRow>,
): Promise<boolean> {
  const expected = toRow(before);
  const fields = Object.keys(columns) as (keyof PlanStatusRow)[];
  let query = db.updateTable('plan_status').set(columns).where('plan', '=', before.plan);
  for (const field of fields) query = query.where(field, expected[field] === null ? 'is' : '=', expected[field]);
  const { numUpdatedRows } = await query.executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Nothing is kept of a plan that is not applied: it would be taken for the status of a later one of that name. */
export async function updateApplied(db: Transaction<Tables>, plan: string, change: PlanStatusChange): Promise<void> {
  const address = `plans.${plan}`;
  const applied = await db.selectFrom('resource').select('address').where('address', '=', address).executeTakeFirst();
  if (applied !== undefined) await update(db, plan, change);
}

/** Writes these columns and no others: somebody else may write those at the same time. */
async function put(db: Kysely<Tables>, plan: string, columns: Partial<PlanStatusRow>): Promise<void> {
  for (;;) {
    const { numUpdatedRows } = await db
      .updateTable('plan_status')
      .set(columns)
      .where('plan', '=', plan)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n || (await insert(db, plan, columns))) return;
  }
}

/** False when there is one already. */
async function insert(db: Kysely<Tables>, plan: string, columns: Partial<PlanStatusRow>): Promise<boolean> {
  const row: PlanStatusRow = { ...toRow({ plan }), ...columns };
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('plan_status')
    .ignore()
    .values(fitting('plan_status', row))
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

async function schedule(
  { db, clock, newId }: PartContext,
  { plan, from, to, jobs, event }: Parameters<PlanStatuses['schedule']>[0],
): Promise<readonly Job[] | undefined> {
  // Outside of the transaction, in which two that find no row and add it would block each other for good on MySQL.
  if (from === undefined) await insert(db, plan, {});
  return db.transaction().execute(async (transaction) => {
    if (!(await goOn(transaction, plan, from, to))) return undefined;
    const added: Job[] = [];
    for (const job of jobs) added.push(await addJob(transaction, job, newId(), clock.now().getTime()));
    if (event !== undefined) await recordEvent(transaction, event, newId, clock.now().getTime());
    return added;
  });
}

/** False when scheduling does not stand at `from` any more. */
async function goOn(db: Transaction<Tables>, plan: string, from: Date | undefined, to: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('plan_status')
    .set({ scheduledThrough: to.getTime() })
    .where('plan', '=', plan)
    .where('scheduledThrough', from === undefined ? 'is' : '=', timeColumn(from))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** `undefined` leaves a field as it is, `null` clears it. */
function columnsOf(change: PlanStatusChange): Partial<PlanStatusRow> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const values = Object.fromEntries(given.map(([field, value]) => [field, value ?? undefined]));
  const row = toRow({ ...values, plan: '' });
  return Object.fromEntries(given.map(([field]) => [field, row[field as keyof PlanStatusRow]]));
}

function toRow(status: PlanStatus): PlanStatusRow {
  return {
    plan: status.plan,
    pausedAt: timeColumn(status.pausedAt),
    suspended: jsonColumn(status.suspended),
    scheduledThrough: timeColumn(status.scheduledThrough),
    lastSuccessAt: timeColumn(status.lastSuccessAt),
    lastFailureAt: timeColumn(status.lastFailureAt),
  };
}

function toStatus(row: PlanStatusRow): PlanStatus {
  const suspended = fromJson<NonNullable<PlanStatus['suspended']>>(row.suspended);
  return {
    plan: row.plan,
    ...(row.pausedAt === null ? {} : { pausedAt: toTime(row.pausedAt) }),
    ...(suspended === undefined ? {} : { suspended: { ...suspended, since: new Date(suspended.since) } }),
    ...(row.scheduledThrough === null ? {} : { scheduledThrough: toTime(row.scheduledThrough) }),
    ...(row.lastSuccessAt === null ? {} : { lastSuccessAt: toTime(row.lastSuccessAt) }),
    ...(row.lastFailureAt === null ? {} : { lastFailureAt: toTime(row.lastFailureAt) }),
  };
}
