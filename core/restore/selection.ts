import type { PatternRelations, Selection } from '../driver/index.ts';

/**
 * What of `selection` is asked for with `only` (empty: everything). Undefined when that is certainly nothing. Patterns
 * that overlap in part stay as the selection has them.
 */
export function askedPart(
  selection: Selection,
  only: readonly string[],
  patterns: PatternRelations,
): Selection | undefined {
  if (only.length === 0) return selection;
  const { include, exclude } = selection;
  const overlaps =
    include.length === 0 ? only : only.flatMap((asked) => include.flatMap((one) => overlap(one, asked, patterns)));
  const left = overlaps.filter((one) => !exclude.some((without) => patterns.covers(without, one)));
  if (left.length === 0) return undefined;
  return { include: left, exclude: exclude.filter((without) => left.some((one) => patterns.meets(without, one))) };
}

/** Whether everything that `narrow` selects is certainly selected by `wide`. */
export function includesAll(wide: Selection, narrow: Selection, patterns: PatternRelations): boolean {
  const included =
    wide.include.length === 0 ||
    (narrow.include.length > 0 &&
      narrow.include.every((one) => wide.include.some((other) => patterns.covers(other, one))));
  return included && wide.exclude.every((one) => leavesAlone(one, narrow, patterns));
}

/** `shop.*, crm.* without crm.log`, or `everything`. */
export function selectionText({ include, exclude }: Selection): string {
  const included = include.length === 0 ? 'everything' : include.join(', ');
  return exclude.length === 0 ? included : `${included} without ${exclude.join(', ')}`;
}

/** Whether an exclusion takes nothing away from a selection. */
function leavesAlone(without: string, { include, exclude }: Selection, patterns: PatternRelations): boolean {
  const apart = include.length > 0 && !include.some((one) => patterns.meets(without, one));
  return apart || exclude.some((one) => patterns.covers(one, without));
}

function overlap(a: string, b: string, patterns: PatternRelations): string[] {
  if (patterns.covers(a, b)) return [b];
  return patterns.covers(b, a) || patterns.meets(a, b) ? [a] : [];
}
