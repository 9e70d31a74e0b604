import type { AppliedState, Catalog, Job } from './catalog/index.ts';
import type { PruneSettings } from './config/index.ts';
import { notDeletedText } from './freed-space.ts';
import { expectedIntervalMs, isAhead, type Timetable } from './schedule/index.ts';
import { formatDuration, formatTime } from './units.ts';

/** How the freeing of space in a destination is scheduled. */
export function pruneTimetable({ schedule, timezone }: PruneSettings, destination: string): Timetable {
  return { name: destination, ...(schedule === undefined ? {} : { schedule }), timezone, jitterMs: 0 };
}

/** The newest prune of a destination that left nothing undone, and the newest that ran to any end. */
export async function newestPrunes(
  { jobs }: Pick<Catalog, 'jobs'>,
  destination: string,
): Promise<{ readonly good?: Job; readonly last?: Job }> {
  const ofDestination = { kind: 'prune', destination, limit: 1 } as const;
  const [good] = await jobs.list({ ...ofDestination, states: ['succeeded'] });
  const [last] = await jobs.list({ ...ofDestination, states: ['succeeded', 'partial', 'failed'] });
  return { good, last };
}

/** So many times may pass without a good one, and so many days. */
const mostMissed = 3;
const leastMs = 3 * 86_400_000;

/** Why a destination that is pruned by a schedule has not been for too long; undefined when all is well. For people. */
export async function pruneOverdue(
  catalog: Pick<Catalog, 'jobs'>,
  { resources }: AppliedState,
  settings: PruneSettings,
  destination: string,
  now: Date,
): Promise<string | undefined> {
  const intervalMs = expectedIntervalMs(pruneTimetable(settings, destination), now);
  const created = resources.get(`destinations.${destination}`)?.createdAt;
  if (intervalMs === undefined || created === undefined) return undefined;
  const { good, last } = await newestPrunes(catalog, destination);
  const since = good?.endedAt ?? created;
  const ageMs = now.getTime() - since.getTime();
  if (good !== undefined && isAhead(since, now))
    return `the last prune of ${destination} is dated ${formatTime(since)}, which is still to come: the clock was or is wrong`;
  if (ageMs <= Math.max(leastMs, mostMissed * intervalMs)) return undefined;
  const what = good === undefined ? 'was never pruned since it was applied' : 'was pruned to its end for the last time';
  const why = last === undefined ? 'no prune has run; does the daemon?' : whyNot(last);
  return `${destination} ${what}, at ${formatTime(since)}, ${formatDuration(ageMs)} ago, so what nothing needs stays in it${why === undefined ? '' : `: ${why}`}`;
}

/** What the newest prune left undone, and why, or why it failed; undefined when it left nothing. For people. */
export async function pruneUnfinished(
  catalog: Pick<Catalog, 'jobs'>,
  destination: string,
): Promise<string | undefined> {
  const [waiting] = await catalog.jobs.list({ kind: 'prune', destination, states: ['queued'], limit: 1 });
  if (waiting?.error !== undefined && waiting.notBefore !== undefined) {
    const { code, message } = waiting.error;
    return `the prune of ${destination} waits until ${formatTime(waiting.notBefore)} to be tried again: ${code}: ${message}`;
  }
  const { last } = await newestPrunes(catalog, destination);
  const why = whyNot(last);
  if (why === undefined) return undefined;
  if (last?.state === 'failed') return `${destination} could not be pruned: ${why}`;
  return `the last prune of ${destination} left something: ${why}`;
}

/** Of one that left nothing undone, or of none, undefined. */
function whyNot(last: Job | undefined): string | undefined {
  if (last?.state === 'failed') return `${last.error?.code}: ${last.error?.message}`;
  if (last?.state !== 'partial') return undefined;
  const { warnings = [], notExpired = [] } = (last.result ?? {}) as Partial<LeftUndone>;
  const reasons = [...warnings, ...notDeletedText(notExpired)];
  return reasons.length === 0 ? 'its job does not say what' : reasons.join('; ');
}

/** What the result of a job that ended partial says of that. */
interface LeftUndone {
  readonly warnings: readonly string[];
  readonly notExpired: readonly { readonly why: string }[];
}
