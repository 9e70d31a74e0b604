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
