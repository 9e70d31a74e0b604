import type { PatternRelations } from '../../../core/driver/index.ts';
import { parsePattern } from './selection.ts';

/** How patterns of tables relate; exact for one pattern against another, but for two with `*` inside of names. */
export const tableRelations: PatternRelations = {
  /** A `*` of the narrow one stands for any text, and only a `*` of the wide one matches a `*`. */
  covers(wide, narrow) {
    const [outer, inner] = [parsePattern(wide), parsePattern(narrow)];
    return outer.database.test(inner.databaseGlob) && outer.name.test(inner.nameGlob);
  },
  meets(one, other) {
    const [a, b] = [parsePattern(one), parsePattern(other)];
    return globsMeet(a.databaseGlob, b.databaseGlob) && globsMeet(a.nameGlob, b.nameGlob);
  },
};

/** Whether two globs may match one name: where each begins, and where each ends, one text must go on as the other. */
function globsMeet(a: string, b: string): boolean {
  if (!a.includes('*') && !b.includes('*')) return a === b;
  const [startA, startB] = [a, b].map((glob) => glob.split('*')[0]!) as [string, string];
  const [endA, endB] = [a, b].map((glob) => glob.split('*').at(-1)!) as [string, string];
  const starts = startA.startsWith(startB) || startB.startsWith(startA);
  return starts && (endA.endsWith(endB) || endB.endsWith(endA));
}
