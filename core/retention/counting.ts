/** One backup that a rule of restic's keeps. */
export interface Counted {
  readonly at: number;
  readonly period: string;
  /** It is not the newest of its period, but the oldest of all while the rule still has counts left. */
  readonly oldest: boolean;
}

/**
 * restic's counting (`ApplyPolicy`): from the newest on, whatever is in another period than the one before it is kept
 * and takes one count; the oldest of all is kept too while counts are left. `periods` is of backups, newest first.
 */
export function countAsRestic(periods: readonly string[], count: number): readonly Counted[] {
  const kept: Counted[] = [];
  let last: string | undefined;
  for (const [at, period] of periods.entries()) {
    if (kept.length === count) break;
    const isOldest = at === periods.length - 1;
    if (period !== last || isOldest) kept.push({ at, period, oldest: period === last });
    last = period;
  }
  return kept;
}

/**
 * The partial ones that a rule keeps: of the first `count` periods that have a backup at all, the newest of those in which
 * none is good. They take no counts from the good ones.
 */
export function countPartial(
  periods: readonly string[],
  partial: readonly boolean[],
  count: number,
): readonly Counted[] {
  const kept: Counted[] = [];
  let runs = 0;
  for (let start = 0; start < periods.length && runs < count; runs++) {
    let end = start + 1;
    while (end < periods.length && periods[end] === periods[start]) end++;
    const good = partial.slice(start, end).includes(false);
    if (!good) kept.push({ at: start, period: periods[start]!, oldest: false });
    start = end;
  }
  return kept;
}
