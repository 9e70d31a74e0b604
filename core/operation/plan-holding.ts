import { hasCode, TidemarkError } from '../error.ts';
import {
  type Candidate,
  makeRestorePlan,
  type PatternsOf,
  type RestorePlan,
  type RestoreWish,
} from '../restore/index.ts';
import type { PlanningContext } from './context.ts';

/** So many manifests are read at most, newest first: they may have megabytes each. */
const mostRead = 100;

/**
 * Makes the plan, and passes over backups whose manifest says that they hold nothing of what is asked for: a table that
 * was dropped last week is in the backups of the week before. Throws BACKUP_NOT_FOUND.
 */
export async function planHolding(
  context: PlanningContext,
  candidates: readonly Candidate[],
  wish: RestoreWish,
  patternsOf: PatternsOf,
): Promise<RestorePlan> {
  const isFixed = wish.backup !== undefined || wish.at !== undefined || wish.only.length === 0;
  const empty = new Set<string>();
  let left = candidates;
  while (left.length > 0 && empty.size < mostRead) {
    const plan = makeRestorePlan(left, wish, patternsOf);
    if (isFixed || !(await holdsNothing(context, plan, wish.only))) return passing(plan, empty.size, wish.only);
    empty.add(plan.backup.id);
    left = left.filter(({ id }) => !empty.has(id));
  }
  throw new TidemarkError(
    'BACKUP_NOT_FOUND',
    `none of the newest backups (${empty.size}) holds anything that matches ${wish.only.join(', ')}`,
    {
      subject: `sources.${wish.source}`,
      hint: 'Look into one with `tidemark show ID`; an older one is restored with `--backup ID`.',
    },
  );
}

/** False where that cannot be known without reading the backup. */
async function holdsNothing(
  { catalog, drivers }: PlanningContext,
  { backup }: RestorePlan,
  only: readonly string[],
): Promise<boolean> {
  const driver = drivers.sources.find(({ kind }) => kind === backup.driver);
  if (driver?.holdsNothing === undefined) return false;
  try {
    const { manifest } = await catalog.backups.copy(backup.destination, backup.snapshot);
    return driver.holdsNothing(manifest, only);
  } catch (error) {
    if (hasCode(error, 'BACKUP_NOT_FOUND')) return false; // gone meanwhile: the restore will say so
    throw error;
  }
}

function passing(plan: RestorePlan, passed: number, only: readonly string[]): RestorePlan {
  if (passed === 0) return plan;
  const newer = passed === 1 ? 'a newer one holds' : `${passed} newer ones hold`;
  return { ...plan, why: `${plan.why} with anything that matches ${only.join(', ')}; ${newer} nothing of it` };
}
