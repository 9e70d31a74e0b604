import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from './measure.ts';
import { type Result, tableRows } from './table.ts';

export interface Settings {
  readonly seed: string;
  readonly scale: number;
  readonly rounds: number;
  /** Where data is made and kept for the next run. */
  readonly dataFolder: string;
}

/** Where the cases work, and what they have found. */
export interface Lab extends Settings {
  /** What the cases open is closed with this. */
  readonly stack: AsyncDisposableStack;
  /** Prints what a case found, as soon as it is known: a run may take an hour. */
  report(result: Result): void;
  wants(name: string): boolean;
  /** An empty folder, gone after the run. */
  emptyFolder(name: string): Promise<string>;
  /** Lets the contenders run in turn, each round beginning with the next of them, and notes the median of each. */
  compare(name: string, contenders: Contenders): Promise<void>;
}

/** By name; the first is the peer that the others are compared to. */
export type Contenders = Readonly<Record<string, (round: number) => Promise<Sample>>>;

export function openLab(settings: Settings, names: readonly string[], stack: AsyncDisposableStack): Lab {
  const report = (result: Result) => console.log(tableRows(result));
  return {
    ...settings,
    stack,
    report,
    wants: (name) => names.length === 0 || names.some((wanted) => name.startsWith(wanted)),
    emptyFolder: (name) => emptyFolder(join(settings.dataFolder, 'work', name)),
    compare: async (name, contenders) => {
      report({ name, medians: await runInTurn(name, contenders, settings.rounds) });
    },
  };
}

async function emptyFolder(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

async function runInTurn(name: string, contenders: Contenders, rounds: number): Promise<Result['medians']> {
  const samples = new Map<string, Sample[]>(Object.keys(contenders).map((who) => [who, []]));
  for (let round = 1; round <= rounds; round++) {
    const all = Object.entries(contenders);
    for (const at of all.keys()) {
      const [who, run] = all[(at + round - 1) % all.length]!;
      const sample = await run(round);
      samples.get(who)!.push(sample);
      console.error(`${name} ${round}/${rounds} ${who}: ${sample.wallSeconds.toFixed(2)} s`);
    }
  }
  return [...samples].map(([who, all]) => ({ who, sample: medianOf(all) }));
}

function medianOf(samples: readonly Sample[]): Sample {
  const median = (pick: (sample: Sample) => number) => {
    const sorted = samples.map(pick).sort((a, b) => a - b);
    const half = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  };
  const stored = samples.some((sample) => sample.storedBytes !== undefined);
  return {
    wallSeconds: median((sample) => sample.wallSeconds),
    cpuSeconds: median((sample) => sample.cpuSeconds),
    peakMiB: median((sample) => sample.peakMiB),
    storedBytes: stored ? median((sample) => sample.storedBytes ?? 0) : undefined,
  };
}
