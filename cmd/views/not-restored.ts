import type { NotRestored } from '../../core/driver/index.ts';
import { type Look, paint, printable } from './look.ts';
import { count } from './words.ts';

/** A line per thing that is not whole in the target; `total` may be more than the list holds. */
export function notRestoredText(listed: readonly NotRestored[], total: number, look: Look): string {
  const shown = listed.slice(0, shownLines);
  const lines = shown.map((one) => `${paint(look, 'red', 'not restored')}: ${lineText(one)}\n`);
  const more = total - shown.length;
  const rest = more === 0 ? '' : `and ${count(more, 'more', 'more')}; \`tidemark restores --json\` lists them\n`;
  return lines.join('') + rest;
}

/** A disaster is counted, not printed whole. */
const shownLines = 50;

function lineText({ item, why, detail }: NotRestored): string {
  return `${printable(item)} (${why}): ${printable(detail)}`;
}
