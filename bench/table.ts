import type { Result } from './lab.ts';
import type { Sample } from './measure.ts';

/** Medians and, against the first of each case, ratios, as a markdown table. */
export function table(results: readonly Result[]): string {
  const rows = results.flatMap(rowsOf);
  return [
    '| case | who | wall s | ratio | CPU s | ratio | peak MiB | ratio | stored MB | ratio |',
    '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n');
}

function rowsOf({ name, medians }: Result): string[] {
  const peer = medians[0]!;
  return medians.map(({ who, sample }) => {
    const cells = columns.flatMap(({ value, digits }) => {
      const own = value(sample);
      const ratio = medians.length > 1 && who !== peer.who ? ratioOf(own, value(peer.sample)) : '';
      return [own === undefined || Number.isNaN(own) ? '' : own.toFixed(digits), ratio];
    });
    return `| ${[name, who.replaceAll('|', '\\|'), ...cells].join(' | ')} |`;
  });
}

const columns: readonly { value: (sample: Sample) => number | undefined; digits: number }[] = [
  { value: (sample) => sample.wallSeconds, digits: 2 },
  { value: (sample) => sample.cpuSeconds, digits: 2 },
  { value: (sample) => sample.peakMiB, digits: 0 },
  { value: (sample) => (sample.storedBytes === undefined ? undefined : sample.storedBytes / 1e6), digits: 1 },
];

function ratioOf(own: number | undefined, peers: number | undefined): string {
  return own === undefined || !peers ? '' : `${(own / peers).toFixed(2)}x`;
}
