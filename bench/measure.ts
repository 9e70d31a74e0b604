import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, runOk } from '../test/kit/process.ts';

export interface Sample {
  readonly wallSeconds: number;
  /** User and system time of the command and of all that it started and waited for. */
  readonly cpuSeconds: number;
  /** Of its largest process. */
  readonly peakMiB: number;
  /** What it added to its destination, where that is the question. */
  readonly storedBytes?: number;
}

const timeoutMs = 60 * 60_000;

/** Runs a command and measures it as the kernel counts. Rejects when it fails: a failed run has no speed. */
export async function measure(command: string, args: readonly string[], options: RunOptions = {}): Promise<Sample> {
  await runOk('sync', [], { timeoutMs });
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const usage = join(folder, 'usage');
  const startedMs = performance.now();
  await runOk('/usr/bin/time', ['-f', '%U %S %M', '-o', usage, command, ...args], { timeoutMs, ...options });
  const wallSeconds = (performance.now() - startedMs) / 1000;
  const [user, system, peakKiB] = (await readFile(usage, 'utf8')).trim().split(' ').map(Number);
  await rm(folder, { recursive: true });
  return { wallSeconds, cpuSeconds: user! + system!, peakMiB: peakKiB! / 1024 };
}

/** As `measure`, with how much this folder has grown by it. */
export async function measureStored(folder: string, run: () => Promise<Sample>): Promise<Sample> {
  const before = await sizeBytes(folder);
  const sample = await run();
  return { ...sample, storedBytes: (await sizeBytes(folder)) - before };
}

async function sizeBytes(folder: string): Promise<number> {
  return Number((await runOk('du', ['-sb', folder])).stdout.split('\t')[0]);
}
