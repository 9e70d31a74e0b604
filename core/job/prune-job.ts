import type { Job, NewJob } from '../catalog/index.ts';
import type { PruneOutcome, PruneRequest } from '../operation/index.ts';
import { destinationJob } from './destination-job.ts';

/** A lock of somebody else's or an outage is mostly over then. */
const backoffMs = 10 * 60_000;
const attempts = 3;

/** The freeing of space in a destination. A person who waits for it wants to see the error and not a retry. */
export function pruneJob(
  { destination, plans, ...rest }: PruneRequest,
  trigger: Job['trigger'],
  scheduledFor?: Date,
): NewJob {
  const request = {
    ...rest,
    destination,
    plans: plans.map((plan) => ({ plan })), // so that a rename of a plan is followed
    backoffMs,
    ...(scheduledFor === undefined ? {} : { scheduledFor: scheduledFor.toISOString() }),
  };
  return destinationJob({
    kind: 'prune',
    destination,
    trigger,
    request,
    mode: 'write',
    attempts: trigger === 'manual' ? 1 : attempts,
  });
}

export function pruneRequest({ request }: Pick<Job, 'request'>): PruneRequest {
  const { plans, ...rest } = request as unknown as Omit<PruneRequest, 'plans'> & {
    readonly plans: readonly { plan: string }[];
  };
  return { ...rest, plans: plans.map(({ plan }) => plan) };
}

/** What came of a prune, as its job keeps it. */
export interface PruneJobResult extends Omit<PruneOutcome, 'partial' | 'heldUpBy'> {
  readonly heldUpBy?: string;
  /** How many there are; `expired` itself ends at some thousand. */
  readonly expiredCount: number;
}

/** A row of the catalog stays some megabytes at most. */
const kept = 5_000;

export function pruneResult({ expired, notExpired, waiting, ...rest }: Omit<PruneOutcome, 'partial'>) {
  return {
    ...rest,
    expired: expired.slice(0, kept),
    expiredCount: expired.length,
    notExpired: notExpired.slice(0, kept),
    waiting: waiting.slice(0, kept),
  };
}
