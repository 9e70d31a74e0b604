import type { PatternRelations } from '../../core/driver/index.ts';
import { nameExpression, type Pattern, parsePattern, pathExpression } from './pattern.ts';

/** How path patterns relate; see `PathPatterns` for what they mean. Both answers are safe where they are not certain. */
export const pathRelations: PatternRelations = {
  covers(wide, narrow) {
    if (wide === narrow) return true;
    const [outer, inner] = [parsePattern(wide), parsePattern(narrow)];
    if (outer.parts.length === 0) return true;
    if (inner.parts.length === 0 || !(isPlain(outer) || isLiteral(inner))) return false;
    const expression = new RegExp(`^(?:${pathExpression(outer)})(?:/.*)?$`, 's'); // with everything below
    const paths = samplePaths(inner, outer.parts.length + 1);
    return paths.length > 0 && paths.every((path) => expression.test(path));
  },
  meets(one, other) {
    const [a, b] = [parsePattern(one), parsePattern(other)];
    if (!a.absolute || !b.absolute) return true;
    for (let at = 0; at < Math.min(a.parts.length, b.parts.length); at++) {
      if (a.parts[at] === '**' || b.parts[at] === '**') return true;
      if (!namesMeet(a.parts[at]!, b.parts[at]!)) return false;
    }
    return true; // one is, or lies below, the other
  },
};

/** A character that no pattern spells: only `*` and `**` let it through, and they let anything through. */
const anything = '\u{f8ff}';

/**
 * Paths that stand for all that a pattern names, to one that has no wildcards but `*` and `**`: any number of folders is
 * tried up to so many that only a `**` can take them. None for patterns that this cannot be said of.
 */
function samplePaths({ absolute, parts }: Pattern, depth: number): string[] {
  const all = absolute ? parts : ['**', ...parts];
  const spans = all.flatMap((part, at) => (part === '**' ? [at] : []));
  if (spans.length > 1 || parts.some((part) => part.includes('\\'))) return [];
  const names = all.map((part) => part.replace(/\*|\?|\[[^\]]+\]/g, anything));
  const span = spans[0];
  if (span === undefined) return [`/${names.join('/')}`];
  const fewest = span === all.length - 1 ? 1 : 0;
  return Array.from({ length: depth + 1 - fewest }, (_, at) =>
    names.toSpliced(span, 1, ...Array<string>(at + fewest).fill(anything)),
  ).map((path) => `/${path.join('/')}`);
}

function isPlain({ parts }: Pattern): boolean {
  return !parts.some((part) => /[?[\\]/.test(part));
}

function isLiteral({ absolute, parts }: Pattern): boolean {
  return absolute && !parts.some(isGlob);
}

function isGlob(part: string): boolean {
  return /[*?[\\]/.test(part);
}

function namesMeet(a: string, b: string): boolean {
  if (!isGlob(a)) return matchesName(b, a);
  if (!isGlob(b)) return matchesName(a, b);
  const [start, other] = [a, b].map((part) => part.slice(0, part.search(/[*?[\\]/))) as [string, string];
  return start.startsWith(other) || other.startsWith(start);
}

function matchesName(part: string, name: string): boolean {
  return new RegExp(`^${nameExpression(part)}$`, 's').test(name);
}
