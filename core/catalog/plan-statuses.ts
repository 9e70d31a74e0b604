import type { Kysely, Transaction } from 'kysely';
import type { Job, PlanStatus, PlanStatuses } from './catalog.ts';
import { fromJson, jsonColumn, timeColumn, toTime } from './columns.ts';
import { addJob } from './job-row.ts';
import type { PartContext } from './part-context.ts';
import type { PlanStatusRow, Tables } from './tables.ts';

export function openPlanStatuses(context: PartContext): PlanStatuses {
  const { db } = context;
  return {
    list: async () => (await db.selectFrom('plan_status').selectAll().orderBy('plan').execute()).map(toStatus),
    get: (plan) => get(db, plan),
    update: (plan, change) => db.transaction().execute((transaction) => update(transaction, plan, change)),
    schedule: (decision) => db.transaction().execute((transaction) => schedule(transaction, decision, context)),
  };
}

async function get(db: Kysely<Tables>, plan: string): Promise<PlanStatus> {
  const row = await db.selectFrom('plan_status').selectAll().where('plan', '=', plan).executeTakeFirst();
  return row === undefined ? { plan } : toStatus(row);
}

export async function update(
  db: Transaction<Tables>,
  plan: string,
  change: Parameters<PlanStatuses['update']>[1],
): Promise<PlanStatus> {
  const status = merge(await get(db, plan), change);
  await db.deleteFrom('plan_status').where('plan', '=', plan).execute();
  await db.insertInto('plan_status').values(toRow(status)).execute();
  return status;
}

async function schedule(
  db: Transaction<Tables>,
  { plan, from, to, jobs }: Parameters<PlanStatuses['schedule']>[0],
  { clock, newId }: PartContext,
): Promise<readonly Job[] | undefined> {
  const status = await get(db, plan);
  if (status.scheduledThrough?.getTime() !== from?.getTime()) return undefined;
  await update(db, plan, { scheduledThrough: to });
  const added: Job[] = [];
  for (const job of jobs) added.push(await addJob(db, job, newId(), clock.now().getTime()));
  return added;
}

function merge(status: PlanStatus, change: Parameters<PlanStatuses['update']>[1]): PlanStatus {
  const merged = new Map<string, unknown>(Object.entries(status));
  for (const [field, value] of Object.entries(change)) {
    if (value === null) merged.delete(field);
    else if (value !== undefined) merged.set(field, value);
  }
  return Object.fromEntries(merged) as unknown as PlanStatus;
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
