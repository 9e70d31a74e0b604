import { formatDuration } from '../units.ts';
import type { Candidate } from './candidate.ts';
import { type Counted, countAsRestic, countPartial } from './counting.ts';
import { periodNames, type WallClock } from './periods.ts';
import { type Counted as CountedRule, countedRules, type RetentionPolicy } from './policy.ts';
import type { Reason } from './reason.ts';

export type Kept = ReadonlyMap<Candidate, readonly Reason[]>;

/** What keeps the good backups of a history, newest first. */
export function keptGood(good: readonly Candidate[], policy: RetentionPolicy, wall: WallClock): Kept {
  const kept = new Reasons();
  const [newest] = good;
  if (newest === undefined) return kept.all;
  kept.add(newest, { rule: 'last-good', text: 'the last good backup' });
  for (const rule of countedRules) {
    for (const one of countAsRestic(periodsOf(good, rule, wall), policy[rule])) {
      kept.add(good[one.at]!, countedReason(rule, one));
    }
  }
  for (const one of younger(good, policy.withinMs)) kept.add(one, withinReason(policy));
  for (const [one, reason] of recovering(good, policy)) kept.add(one, reason);
  for (const one of missingTo(policy.minimum, good, kept)) {
    kept.add(one, { rule: 'minimum', text: `the minimum of ${policy.minimum} good ones` });
  }
  return kept.all;
}

/** What keeps the partial ones of a history of both. */
export function keptPartial(counted: readonly Candidate[], policy: RetentionPolicy, wall: WallClock): Kept {
  const kept = new Reasons();
  if (!counted.some(({ partial }) => partial)) return kept.all;
  const partial = counted.map((one) => one.partial);
  for (const rule of countedRules) {
    for (const one of countPartial(periodsOf(counted, rule, wall), partial, policy[rule])) {
      kept.add(counted[one.at]!, countedReason(rule, one));
    }
  }
  for (const one of younger(counted, policy.withinMs)) if (one.partial) kept.add(one, withinReason(policy));
  for (const one of younger(untilGood(counted), partialGraceMs)) kept.add(one, partialReason);
  return kept.all;
}

/**
 * Partial backups that follow the last good one may each hold what the others lack, so all of them stay for a while; but
 * a source that never gives a whole backup must not fill its destination: then it is the rules that keep some.
 */
const partialGraceMs = 7 * 86_400_000;

const partialReason: Reason = { rule: 'partial', text: 'partial, and no good backup has come since' };

class Reasons {
  readonly all = new Map<Candidate, Reason[]>();

  add(backup: Candidate, reason: Reason): void {
    const reasons = this.all.get(backup);
    if (reasons === undefined) this.all.set(backup, [reason]);
    else reasons.push(reason);
  }
}

function periodsOf(backups: readonly Candidate[], rule: CountedRule, wall: WallClock): readonly string[] {
  if (rule === 'last') return backups.map((_, at) => String(at + 1));
  return backups.map(({ consistentAt }) => periodNames[rule](wall(consistentAt)));
}

function countedReason(rule: CountedRule, { period, oldest }: Counted): Reason {
  if (rule === 'last') return { rule, text: `last ${period}` };
  return { rule, period, text: `${oldest ? 'oldest, ' : ''}${rule} ${period}` };
}

function withinReason({ withinMs }: RetentionPolicy): Reason {
  return { rule: 'within', text: `within ${formatDuration(withinMs)} of the newest` };
}

/** Newest first; those that are less than the span older than the first. */
function younger(backups: readonly Candidate[], spanMs: number): readonly Candidate[] {
  const [newest] = backups;
  if (newest === undefined) return [];
  const sinceMs = newest.consistentAt.getTime() - spanMs;
  return backups.filter(({ consistentAt }) => consistentAt.getTime() > sinceMs);
}

function recovering(good: readonly Candidate[], { recoveryMs }: RetentionPolicy): readonly [Candidate, Reason][] {
  if (recoveryMs === 0) return [];
  const inside = younger(good, recoveryMs);
  const base = good[inside.length];
  const span = formatDuration(recoveryMs);
  return [
    ...inside.map((one): [Candidate, Reason] => [
      one,
      { rule: 'recovery', text: `within the recovery span of ${span}` },
    ]),
    ...(base === undefined
      ? []
      : [[base, { rule: 'recovery', text: `the base of the recovery span of ${span}` }] as [Candidate, Reason]]),
  ];
}

function missingTo(minimum: number, good: readonly Candidate[], kept: Reasons): readonly Candidate[] {
  const others = good.filter((one) => !kept.all.has(one));
  return others.slice(0, Math.max(0, minimum - (good.length - others.length)));
}

/** The partial ones before the first good one. */
function untilGood(counted: readonly Candidate[]): readonly Candidate[] {
  const at = counted.findIndex(({ partial }) => !partial);
  return at === -1 ? counted : counted.slice(0, at);
}
