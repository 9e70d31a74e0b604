import { notApplied } from '../applied.ts';
import type { BackupRecord, Catalog } from '../catalog/index.ts';
import type { PatternRelations, SourceDriver } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import {
  backupOfOther,
  noBackup,
  noBackupAt,
  noLongerThere,
  type RestorePlan,
  type RestoreTarget,
  type RestoreWish,
  timeToCome,
} from '../restore/index.ts';
import { isAhead } from '../schedule/index.ts';
import type { PlanningContext } from './context.ts';
import { planHolding } from './plan-holding.ts';

/**
 * Decides what a restore will do, once. Throws USAGE for a wish that asks for nothing, BACKUP_NOT_FOUND with the nearest
 * that there is (never another state than the one asked for), NOT_APPLIED and UNSUPPORTED for a target that cannot take it.
 */
export async function planRestore(context: PlanningContext, wish: RestoreWish, now: Date): Promise<RestorePlan> {
  rejectEmptyPatterns(wish);
  const candidates = await recordsFor(context, wish, now);
  const plan = await planNewest(context, candidates, wish, now);
  await rejectUnfitTarget(context, plan.target, plan.backup.driver);
  return plan;
}

/** What is dated in the future would be the newest for years: it is taken when it is named, or nothing else holds what is asked for. */
async function planNewest(
  context: PlanningContext,
  candidates: readonly BackupRecord[],
  wish: RestoreWish,
  now: Date,
): Promise<RestorePlan> {
  const planOf = (some: readonly BackupRecord[]) =>
    planHolding(context, some, wish, (driver) => patternsOf(context, driver));
  const past = candidates.filter(({ consistentAt }) => !isAhead(consistentAt, now));
  if (wish.backup !== undefined || past.length === 0 || past.length === candidates.length) return planOf(candidates);
  try {
    const plan = await planOf(past);
    const ahead = candidates.length - past.length === 1 ? '1 that is' : `${candidates.length - past.length} that are`;
    return { ...plan, why: `${plan.why}, but for ${ahead} dated in the future, by a clock that was wrong` };
  } catch (error) {
    if (!hasCode(error, 'BACKUP_NOT_FOUND')) throw error;
    return planOf(candidates);
  }
}

/** Throws UNSUPPORTED: only a folder takes backups of every driver. */
export function rejectOtherDriver(ofBackup: string, ofTarget: string, subject: string): void {
  if (ofBackup === ofTarget) return;
  throw new TidemarkError(
    'UNSUPPORTED',
    `a backup made by driver \`${ofBackup}\` cannot go into a \`${ofTarget}\` source`,
    {
      subject,
      hint: `Restore into a source of driver \`${ofBackup}\`, or into a folder (\`--into ./folder\`).`,
    },
  );
}

/** An empty pattern comes from a variable that is not set, and would mean everything. */
function rejectEmptyPatterns({ only }: RestoreWish): void {
  if (only.every((pattern) => pattern.trim() !== '')) return;
  throw new TidemarkError('USAGE', 'a pattern of what to restore is empty', {
    hint: 'Give `--only` a pattern such as `shop.orders` or a path, or leave it out to restore everything.',
  });
}

/** At least one. */
async function recordsFor(
  { catalog: { backups } }: PlanningContext,
  { source, backup, plan, at }: RestoreWish,
  now: Date,
): Promise<readonly BackupRecord[]> {
  if (backup !== undefined) {
    const record = rejectOther(await backups.get(backup), source, plan);
    return record.expiringAt === undefined ? [record] : Promise.reject(await beingDeleted({ backups }, record));
  }
  const expiring = false;
  if (at === undefined) {
    const all = await backups.list({ source, plan, expiring, limit: Number.MAX_SAFE_INTEGER });
    return all.length > 0 ? all : Promise.reject(noBackup(source, plan));
  }
  if (at > now) throw timeToCome(at);
  const second = new Date(Math.floor(at.getTime() / 1000) * 1000);
  const end = new Date(second.getTime() + 999);
  const shown = await backups.list({ source, plan, expiring, since: second, until: end });
  if (shown.length > 0) return shown;
  const [before] = await backups.list({ source, plan, expiring, until: second, limit: 1 });
  const [after] = await backups.list({ source, plan, expiring, since: end, order: 'oldest', limit: 1 });
  if (before === undefined && after === undefined) throw noBackup(source, plan);
  throw noBackupAt(at, source, { before, after });
}

/** Instead of a backup that is being deleted, or was, nothing is restored that nobody asked for: the nearest are told. */
export async function beingDeleted(
  { backups }: Pick<Catalog, 'backups'>,
  backup: Pick<BackupRecord, 'id' | 'plan' | 'source' | 'destination' | 'consistentAt' | 'expiringAt'>,
): Promise<TidemarkError> {
  const { plan, source, consistentAt } = backup;
  const others = { plan, source, expiring: false, limit: 1 };
  const [before] = await backups.list({ ...others, until: consistentAt });
  const [after] = await backups.list({ ...others, since: consistentAt, order: 'oldest' });
  return noLongerThere(backup, backup.expiringAt, { before, ...(after?.id === before?.id ? {} : { after }) });
}

function rejectOther(record: BackupRecord, source: string | undefined, plan: string | undefined): BackupRecord {
  if (source !== undefined && record.source !== source) throw backupOfOther(record.id, 'source', record.source, source);
  if (plan !== undefined && record.plan !== plan) throw backupOfOther(record.id, 'plan', record.plan, plan);
  return record;
}

function patternsOf({ drivers }: PlanningContext, kind: string): PatternRelations {
  return drivers.sources.find((driver: SourceDriver) => driver.kind === kind)?.patterns ?? onlyEqual;
}

/** Of patterns that nobody here can read, equal ones name the same. */
const onlyEqual: PatternRelations = { covers: (wide, narrow) => wide === narrow, meets: () => true };

async function rejectUnfitTarget({ catalog }: PlanningContext, target: RestoreTarget, driver: string): Promise<void> {
  if ('folder' in target) return;
  const state = await catalog.state.read();
  const source = state.resources.get(`sources.${target.source}`);
  if (source !== undefined) return rejectOtherDriver(driver, String(source.spec.driver), source.address);
  throw notApplied(state, 'sources', target.source, `A folder is written \`./${target.source}\`.`);
}
