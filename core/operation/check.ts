import type { AppliedResource, CheckStatus } from '../catalog/index.ts';
import type { Run } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import type { CheckReport, ReadAmount, RepositoryLock } from '../repository/index.ts';
import { tellCheckedDamage } from '../repository-damage.ts';
import { formatTime } from '../units.ts';
import { catalogView } from './catalog-view.ts';
import { statusAfter } from './check-status.ts';
import type { OperationContext } from './context.ts';
import { finished, lateText } from './finished.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';
import { recoveredWarnings } from './recovered-locks.ts';

export interface CheckRequest {
  readonly destination: string;
  readonly read: ReadAmount;
}

/** What a check came to, and since when all data was read at least once. */
export interface CheckOutcome extends Omit<CheckReport, 'hurt'> {
  readonly readWholeAt?: Date;
  readonly warnings: readonly string[];
}

/**
 * Looks whether a destination's repository is whole, and remembers what came of it: how far data was read, and what was
 * found. Throws what is no damage, and REPOSITORY_CORRUPT where the repository does not even open; neither is ever good.
 */
export async function runCheck(context: OperationContext, request: CheckRequest, run: Run): Promise<CheckOutcome> {
  const destination = await appliedResource(context, `destinations.${request.destination}`);
  return finished<CheckOutcome>(
    (done) => checkUnderLock(context, destination, request.read, run, done),
    (outcome, thrown) => ({
      ...outcome,
      warnings: [...outcome.warnings, `the check is done, but ${lateText(thrown)}`],
    }),
  );
}

async function checkUnderLock(
  context: OperationContext,
  destination: AppliedResource,
  read: ReadAmount,
  run: Run,
  done: (outcome: CheckOutcome) => void,
): Promise<void> {
  await using open = await openChecked(context, destination, run.signal);
  const { name } = destination;
  const checkAll = async (lock: RepositoryLock) => {
    const view = await catalogView(context, name);
    const before = await context.catalog.checks.get(name);
    const work = { ...run, signal: AbortSignal.any([run.signal, lock.signal]), threads: context.process.threads };
    const isAllSuspect = before.suspects === 'all';
    const options = {
      read: isAllSuspect ? { share: 1 } : read,
      after: before.readThrough,
      suspects: isAllSuspect ? [] : (before.suspects as readonly string[]),
      destination: name,
      ...view,
    };
    const report = await open.repository.check(options, work);
    await lock.confirm(); // without it somebody may have pruned under our eyes
    const now = context.clock.now();
    const status = statusAfter(before, report, now);
    await context.catalog.checks.put(status); // before the backups are marked: what is read next time takes marks back
    await markHurt(context, name, { before, report, now });
    await tellCheckedDamage(context.catalog, destination.address, { ...status, verdict: report.verdict });
    const { hurt: _, ...told } = report;
    const warnings = recoveredWarnings(lock);
    done({ ...told, ...(status.readWholeAt && { readWholeAt: status.readWholeAt }), warnings });
  };
  await withSubject(destination.address, () => open.repository.underLock('read', run.signal, checkAll));
}

/**
 * Retention, restores and the next backups go by what the catalog says of a backup. A check reads again what any found
 * bad, by what is remembered of the destination: where nothing is, only one that reads all takes anything back.
 */
async function markHurt(
  { catalog }: OperationContext,
  destination: string,
  { before, report, now }: { readonly before: CheckStatus; readonly report: CheckReport; readonly now: Date },
): Promise<void> {
  const { hurt, counts, read } = report;
  const looked = before.checkedAt !== undefined || read.packs >= report.packs;
  const texts = hurt.map(({ snapshot, text }) => [snapshot, `a check of ${formatTime(now)} found ${text}`] as const);
  await catalog.backups.setDamage(destination, new Map(texts), looked && counts.unread === 0 ? 'whole' : 'unknown');
}

/** A repository that does not open for damage is a finding, too. */
async function openChecked(context: OperationContext, destination: AppliedResource, signal: AbortSignal) {
  try {
    return await openRepository(context, destination, signal);
  } catch (thrown) {
    if (hasCode(thrown, 'REPOSITORY_CORRUPT')) {
      const before = await context.catalog.checks.get(destination.name);
      await context.catalog.checks.put({ ...before, verdict: 'damaged', damage: thrown.message });
      await tellCheckedDamage(context.catalog, destination.address, { verdict: 'damaged', damage: thrown.message });
    }
    throw thrown;
  }
}
