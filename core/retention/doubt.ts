import { firstOf } from '../first-of.ts';
import { formatDuration } from '../units.ts';
import type { Candidate } from './candidate.ts';
import type { RetentionPolicy } from './policy.ts';
import type { Decision } from './reason.ts';

/**
 * Spans count back from the newest good backup. One that was made while the clock ran ahead would end the span of all
 * before it at once; so does one after a long pause, which cannot be told from that. Both are a hole in the history that
 * is as long as the span, with more good backups to go behind it than stand before it. As backups come, it is no doubt
 * any more.
 */
export function doubtOf(
  decisions: readonly Decision<Candidate>[],
  good: readonly Candidate[],
  { withinMs, recoveryMs }: RetentionPolicy,
): string | undefined {
  const spanMs = Math.max(withinMs, recoveryMs);
  const hole = spanMs === 0 ? undefined : holeOf(good, spanMs);
  if (hole === undefined) return undefined;
  const going = decisions.filter(({ keep, backup }) => !keep && !backup.expiring && !backup.partial);
  const behind = going.filter(({ backup }) => backup.consistentAt <= hole.olderAt).length;
  if (behind <= hole.before) return undefined;
  const gap = `${hole.olderAt.toISOString()} and ${hole.newerAt.toISOString()}`;
  return `${behind} good backups would expire at once because there is none between ${gap}, longer than the span of ${formatDuration(spanMs)}: after a pause that is right, after a clock that ran ahead it is not`;
}

/**
 * With a catalog that was lost, what a person had agreed to is lost: a retention that waited for that would be carried
 * out on what an import found, or one of another plan that has the name now.
 */
export function unseenDoubt(decisions: readonly Decision<Candidate>[]): string | undefined {
  const unseen = decisions.filter(
    ({ keep, backup }) => !keep && !backup.expiring && backup.unseen === true && !backup.behind,
  ).length;
  if (unseen === 0) return undefined;
  const found = unseen === 1 ? '1 backup that would go was' : `${unseen} backups that would go were`;
  return `${found} found by an import, and by this retention nobody has seen any of them go: a person should look once`;
}

/** A clock that stood back dates the backups that are made last before all others: by their dates they would go first. */
export function behindDoubt(decisions: readonly Decision<Candidate>[]): string | undefined {
  const behind = decisions.filter(({ keep, backup }) => !keep && !backup.expiring && backup.behind === true);
  if (behind.length === 0) return undefined;
  const which = behind.length === 1 ? '1 backup that would go was' : `${behind.length} backups that would go were`;
  return `${which} made after others that are dated later (${firstOf(
    behind.map(({ backup }) => backup.id),
    namedOnes,
  )}): the clock had gone back, and they may be the newest of all`;
}

/** A backup from a time that has not come yet: either it was made on a wrong clock, or the clock is wrong now. */
export function futureDoubt(decisions: readonly Decision<Candidate>[], now: Date): string | undefined {
  const going = decisions.some(({ keep, backup }) => !keep && !backup.expiring);
  const ahead = decisions.filter(({ backup }) => !backup.expiring && backup.consistentAt > now);
  if (!going || ahead.length === 0) return undefined;
  const names = ahead.map(({ backup }) => `${backup.id}, ${backup.consistentAt.toISOString()}`);
  return `backups are dated in the future (${firstOf(names, namedOnes, '; ')}): the clock was or is wrong`;
}

const namedOnes = 5;

interface Hole {
  readonly newerAt: Date;
  readonly olderAt: Date;
  /** How many good backups are newer than it. */
  readonly before: number;
}

/** The first hole of this length in good backups, newest first. */
function holeOf(good: readonly Candidate[], spanMs: number): Hole | undefined {
  for (let at = 1; at < good.length; at++) {
    const [newerAt, olderAt] = [good[at - 1]!.consistentAt, good[at]!.consistentAt];
    if (newerAt.getTime() - olderAt.getTime() >= spanMs) return { newerAt, olderAt, before: at };
  }
  return undefined;
}
