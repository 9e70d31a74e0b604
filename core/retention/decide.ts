import type { Candidate } from './candidate.ts';
import { behindDoubt, doubtOf, futureDoubt, unseenDoubt } from './doubt.ts';
import { keptGood, keptPartial } from './keeping.ts';
import { wallClock } from './periods.ts';
import { keepsNothing, type RetentionPolicy } from './policy.ts';
import type { Decision, Reason } from './reason.ts';

export interface Retention<Backup> {
  /** One for each backup, newest first. */
  readonly decisions: readonly Decision<Backup>[];
  /**
   * Why the decisions may rest on a clock that went wrong, or on a policy that was never agreed to for them: nobody but a person should let backups go by them. One line,
   * lower case, no final stop.
   */
  readonly doubt?: string;
}

/**
 * Decides about one history (see `historiesOf`). The rules count over its good backups as restic's do, in days of
 * `timezone`; ages count back from the newest good backup, never from `now`: what a wrong clock says lets nothing go by
 * itself. What is dated after `now` stays and counts for nothing. A pin, a restore and a partial backup change nothing for
 * the others. The last good backup stays, and never fewer than `minimum` good ones. See
 * `docs/decisions/2026-11-27-which-backups-stay.md`.
 */
export function decide<Backup extends Candidate>(
  backups: readonly Backup[],
  policy: RetentionPolicy,
  { now, timezone }: { readonly now: Date; readonly timezone: string },
): Retention<Backup> {
  const ordered = backups.toSorted(newestFirst);
  if (keepsNothing(policy))
    return { decisions: ordered.map((backup) => ({ backup, keep: true, reasons: [noPolicy] })) };
  const counted = ordered.filter((one) => !one.expiring && one.consistentAt <= now);
  const good = counted.filter(({ partial }) => !partial);
  const wall = wallClock(timezone);
  const kept = new Map<Candidate, readonly Reason[]>([
    ...keptGood(good, policy, wall),
    ...keptPartial(counted, policy, wall),
  ]);
  const decisions = ordered.map((backup) => decisionOf(backup, kept.get(backup) ?? [], now));
  const ofClock = futureDoubt(decisions, now) ?? behindDoubt(decisions) ?? doubtOf(decisions, good, policy);
  return { decisions, doubt: ofClock ?? unseenDoubt(decisions) };
}

/** What is no policy to anybody is none that lets backups go. Configurations with one are refused. */
const noPolicy: Reason = { rule: 'no-policy', text: 'its policy keeps nothing, so it is not followed' };

/** Of two that show the same moment, the one that was begun later comes first. */
function newestFirst(a: Candidate, b: Candidate): number {
  return b.consistentAt.getTime() - a.consistentAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function decisionOf<Backup extends Candidate>(backup: Backup, byRules: readonly Reason[], now: Date): Decision<Backup> {
  if (backup.expiring) return { backup, keep: false, reasons: [{ rule: 'expiring', text: 'it is expiring already' }] };
  const reasons: Reason[] = [
    ...(backup.pinned ? [{ rule: 'pinned', text: 'pinned' } as const] : []),
    ...(backup.restoring ? [{ rule: 'restoring', text: 'being restored' } as const] : []),
    ...(backup.consistentAt > now ? [{ rule: 'future', text: 'dated in the future' } as const] : []),
    ...byRules,
  ];
  if (reasons.length > 0) return { backup, keep: true, reasons };
  return { backup, keep: false, reasons: [{ rule: 'nothing', text: 'no rule keeps it' }] };
}
