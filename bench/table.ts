import type { Sample } from './measure.ts';

export interface Result {
  readonly name: string;
  readonly medians: readonly { readonly who: string; readonly sample: Sample }[];
}

export const tableHead = [
  '| case | who | wall s | ratio | CPU s | ratio | peak MiB | ratio | stored MB | ratio |',
  '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|',
].join('\n');

/** Medians and, against the first, ratios: lines of a markdown table. */
export function tableRows({ name, medians }: Result): string {
  const peer = medians[0]!;
  const rows = medians.map(({ who, sample }) => {
    const cells = columns.flatMap(({ value, digits }) => {
      const own = value(sample);
      const ratio = medians.length > 1 && who !== peer.who ? ratioOf(own, value(peer.sample)) : '';
      return [own === undefined || Number.isNaN(own) ? '' : own.toFixed(digits), ratio];
    });
    return `| ${[name, who.replaceAll('|', '\\|'), ...cells].join(' | ')} |`;
  });
  return rows.join('\n');
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
