import type { LockFacts } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';

/** The locks of a destination's repository, and whether anybody holds them. */
export async function listLocks(
  context: OperationContext,
  destination: string,
  signal: AbortSignal,
): Promise<readonly LockFacts[]> {
  const applied = await appliedResource(context, `destinations.${destination}`);
  await using open = await openRepository(context, applied, signal);
  return await withSubject(applied.address, () => open.repository.locks(signal));
}

/** Takes these locks away, whoever holds them. */
export async function removeLocks(
  context: OperationContext,
  destination: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const applied = await appliedResource(context, `destinations.${destination}`);
  await using open = await openRepository(context, applied, signal);
  await withSubject(applied.address, () => open.repository.removeLocks(ids, signal));
}
