import type { Spending } from './stacks.ts';
import { phases, type ThreadTime } from './thread-times.ts';

/** CPU milliseconds by thread and phase, the busiest first. */
export function threadTable(times: readonly ThreadTime[]): string {
  const threads = new Map<string, Map<string, number>>();
  for (const { thread, phase, cpuMs } of times) {
    const row = threads.get(thread) ?? new Map<string, number>();
    threads.set(thread, row.set(phase, cpuMs));
  }
  const sum = (row: Map<string, number>) => [...row.values()].reduce((a, b) => a + b, 0);
  const rows = [...threads].sort(([, a], [, b]) => sum(b) - sum(a));
  return markdown(
    ['thread', ...phases.map((phase) => `${phase} data threads`), 'CPU ms'],
    rows.map(([thread, row]) => [thread, ...phases.map((phase) => whole(row.get(phase))), whole(sum(row))]),
  );
}

/** The largest sums over all threads, with a column per thread. */
export function spendingTable(
  what: string,
  unit: { readonly name: string; readonly size: number },
  spendings: readonly Spending[],
  pick: (spending: Spending) => ReadonlyMap<string, number>,
  limit: number,
): string {
  const sums = new Map<string, number>();
  for (const spending of spendings)
    for (const [key, amount] of pick(spending)) sums.set(key, (sums.get(key) ?? 0) + amount);
  const total = [...sums.values()].reduce((a, b) => a + b, 0);
  const largest = [...sums].sort(([, a], [, b]) => b - a).slice(0, limit);
  const threads = spendings.toSorted((a, b) => (a.thread < b.thread ? 1 : -1));
  return markdown(
    [what, unit.name, 'share', ...threads.map(({ thread }) => thread)],
    largest.map(([key, amount]) => [
      key,
      whole(amount / unit.size),
      `${((100 * amount) / total).toFixed(1)} %`,
      ...threads.map((spending) => whole((pick(spending).get(key) ?? 0) / unit.size)),
    ]),
  );
}

function whole(value: number | undefined): string {
  return value === undefined || value < 0.5 ? '' : value.toFixed(0);
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
