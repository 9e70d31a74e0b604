import type { Run } from '../driver/index.ts';
import type { RepositoryLock, RepositoryStats } from '../repository/index.ts';
import { catalogView } from './catalog-view.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';

/** What fills a destination's repository. Damage is in the answer; all else is thrown. */
export async function repositoryStats(context: OperationContext, name: string, run: Run): Promise<RepositoryStats> {
  const destination = await appliedResource(context, `destinations.${name}`);
  await using open = await openRepository(context, destination, run.signal);
  const count = async (lock: RepositoryLock) => {
    const view = await catalogView(context, name);
    const signal = AbortSignal.any([run.signal, lock.signal]);
    return await confirmed(lock, open.repository.stats(view, { ...run, signal, threads: context.process.threads }));
  };
  return await withSubject(destination.address, () => open.repository.underLock('read', run.signal, count));
}

/** Without the lock somebody may have pruned under our eyes. */
async function confirmed(lock: RepositoryLock, counted: Promise<RepositoryStats>): Promise<RepositoryStats> {
  const stats = await counted;
  await lock.confirm();
  return withoutOwnLock(stats);
}

/** The lock that this was counted under is gone when it is told. */
function withoutOwnLock(stats: RepositoryStats): RepositoryStats {
  return { ...stats, locks: { ...stats.locks, held: Math.max(0, stats.locks.held - 1) } };
}
