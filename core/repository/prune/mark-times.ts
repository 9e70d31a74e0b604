import type { LockDocument } from '../lock-document.ts';
import type { Mark } from './marks.ts';

/** Clocks of several machines are that close, or one of them is wrong. */
const aheadMs = 3_600_000;

/** What the time and the locks make of each mark. */
export interface MarkTimes {
  /** Their packs may go. */
  readonly ripe: readonly Mark[];
  /** Dated by a clock that ran ahead, and to be marked anew: they would wait until then. */
  readonly ahead: readonly Mark[];
  /** The same, and marked anew already: they go with the mark that is in their place. */
  readonly replaced: readonly Mark[];
}

/**
 * A mark that is marked anew stays beside the new one. Whose clock is wrong cannot be known: where it is the present one,
 * which runs behind, the new mark seems older than it is later on, and then the first one still has its grace period.
 */
export function markTimes(
  marks: readonly Mark[],
  others: readonly LockDocument[],
  graceMs: number,
  nowMs: number,
): MarkTimes {
  const ageMs = ({ markedAt }: Mark) => nowMs - Date.parse(markedAt);
  const isAhead = (mark: Mark) => !(ageMs(mark) >= -aheadMs);
  const isOver = (mark: Mark) => ageMs(mark) >= graceMs && ageMs(mark) >= 0;
  const byId = new Map(marks.map((mark) => [mark.id, mark]));
  const replacedBy = ({ anew = [] }: Mark) => anew.flatMap((id) => byId.get(id) ?? []);
  const isRipe = (mark: Mark) =>
    isOver(mark) &&
    mark.holders !== undefined &&
    holdUp(mark, others).length === 0 &&
    replacedBy(mark).every((one) => isAhead(one) || isOver(one));
  const replaced = new Set(marks.filter((mark) => !isAhead(mark)).flatMap(replacedBy));
  return {
    ripe: marks.filter(isRipe),
    ahead: marks.filter((mark) => isAhead(mark) && !replaced.has(mark)),
    replaced: [...replaced],
  };
}

/** Who was there when it was marked, and still is. */
export function holdUp({ holders }: Mark, others: readonly LockDocument[]): LockDocument[] {
  const present = new Map(others.map((other) => [other.holder, other]));
  return [...present.values()].filter(({ holder }) => holder !== undefined && holders?.has(holder));
}
