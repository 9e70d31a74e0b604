import type { RetainedCopy } from '../catalog/index.ts';
import { firstOf } from '../first-of.ts';
import { type Keeping, keepingOf } from '../keeping.ts';
import { ownAndForeign } from '../own-copies.ts';
import { decide, historiesOf } from '../retention/index.ts';
import { formatBytes } from '../units.ts';
import type { Consequence, ExpiringCopy } from './change-set.ts';
import { describeHeld, figures, heldBackups } from './held-backups.ts';
import type { World } from './rule.ts';

/**
 * What a plan's backups come to by how it will keep them that they did not by how it keeps them now; nothing where no
 * backup goes. `less` says that the policy keeps less, whatever there is today.
 */
export function expiry(plan: string, less: boolean, world: World): readonly Consequence[] {
  const [before, after] = [world.applied, world.desired].map((resources) =>
    keepingOf(resources.get(`plans.${plan}`), resources),
  );
  const ofPlan = world.observed.copies.filter((copy) => copy.plan === plan);
  const going = historiesOf(ofPlan).flatMap((history) =>
    expiringOf(ownAndForeign(history, world.applied).own, before!, after!, world.now),
  );
  if (going.length > 0 || !less) return going;
  const held = heldBackups(world, { plan });
  if (held.copies === 0) return [];
  return [
    { kind: 'retention', text: `${plan} has ${describeHeld(held)}: none of them expires by it`, ...figures(held) },
  ];
}

/** The backups that a change lets go, by the consequences of its actions. */
export function expiringIds(consequences: readonly Consequence[]): readonly string[] {
  return consequences.flatMap(({ expiring = [] }) =>
    expiring.map(({ destination, snapshot }) => `${destination} ${snapshot}`),
  );
}

function expiringOf(
  history: readonly RetainedCopy[],
  before: Keeping,
  after: Keeping,
  now: Date,
): readonly Consequence[] {
  const old = judge(history, before, now).kept;
  const { kept, gone, doubt } = judge(history, after, now);
  const stood = new Set(old);
  const going = gone.filter((copy) => stood.has(copy));
  if (going.length === 0) return [];
  const [oldest, oldestAfter] = [oldestGood(old), oldestGood(kept)];
  const doubts = doubt === undefined ? '' : `; the daemon will not let them go by itself: ${doubt}`;
  return [
    {
      kind: 'retention',
      text: `${goingText(going, old.length)}; ${movedText(oldest, oldestAfter)}${doubts}`,
      backups: { copies: going.length, sizeBytes: sumBytes(going) },
      expiring: going.map(toExpiring),
      ...(oldest === undefined ? {} : { before: oldest.toISOString() }),
      ...(oldestAfter === undefined ? {} : { after: oldestAfter.toISOString() }),
    },
  ];
}

function goingText(going: readonly RetainedCopy[], of: number): string {
  const [{ plan, destination }] = going as [RetainedCopy];
  const list = firstOf(going.map(named), shownBackups);
  return `${going.length} of ${of} backups of ${plan} in ${destination} (${formatBytes(sumBytes(going))}) will expire: ${list}`;
}

function sumBytes(copies: readonly RetainedCopy[]): number {
  return copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function toExpiring({ id, destination, snapshot, source, consistentAt, sizeBytes }: RetainedCopy): ExpiringCopy {
  return { id, destination, snapshot, source, consistentAt: consistentAt.toISOString(), sizeBytes };
}

const shownBackups = 12;

/** A restore that runs now will have ended when they go. */
function judge(history: readonly RetainedCopy[], { policy, timezone }: Keeping, now: Date) {
  const there = history.filter(({ expiring }) => !expiring);
  if (policy === undefined) return { kept: there, gone: [], doubt: undefined };
  const candidates = there.map((copy) => ({ ...copy, copy, restoring: false }));
  const { decisions, doubt } = decide(candidates, policy, { now, timezone });
  const those = (keep: boolean) => decisions.filter((one) => one.keep === keep).map(({ backup }) => backup.copy);
  return { kept: those(true), gone: those(false), doubt };
}

function oldestGood(copies: readonly RetainedCopy[]): Date | undefined {
  const times = copies.filter(({ partial }) => !partial).map(({ consistentAt }) => consistentAt.getTime());
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

function named({ id, consistentAt, partial }: RetainedCopy): string {
  return `${id} of ${consistentAt.toISOString()}${partial ? ' (partial)' : ''}`;
}

function movedText(before: Date | undefined, after: Date | undefined): string {
  if (before === undefined || after === undefined) return 'there is no good backup to go back to';
  if (before.getTime() === after.getTime()) return `the oldest good one stays that of ${after.toISOString()}`;
  return `the oldest good one to go back to will be of ${after.toISOString()}, not of ${before.toISOString()}`;
}
