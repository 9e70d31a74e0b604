import { markdown } from './tables.ts';

/** Something that began and ended, in milliseconds since the process began. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly what: string;
}

const most = 60;

/** The longest, in the order of their beginnings: what could have happened together stands below each other. */
export function timelineTable(spans: readonly Span[]): string {
  const length = ({ fromMs, toMs }: Span) => toMs - fromMs;
  const longest = spans.toSorted((a, b) => length(b) - length(a)).slice(0, most);
  const rows = longest
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map((span) => [span.what, ...[span.fromMs, span.toMs, length(span)].map((ms) => ms.toFixed(1))]);
  return markdown(['what the main thread waits for', 'from ms', 'to ms', 'ms'], rows);
}
