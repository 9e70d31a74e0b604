import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { type Running, start, waitFor } from '../kit/process.ts';
import { type Home, launcher } from './kit.ts';

export interface DaemonOptions {
  readonly env?: Record<string, string>;
  /** A command in front of the daemon's. */
  readonly through?: readonly string[];
  readonly args?: readonly string[];
}

/** Starts the daemon as people do and waits until it is ready. */
export async function startDaemon(
  t: TestContext,
  { folder }: Home,
  { env = {}, through = [], args = [] }: DaemonOptions = {},
): Promise<Running & { address: string }> {
  const [command, ...rest] = [...through, launcher, 'daemon', '--drain', '20s', ...args];
  const daemon = await start(t, command!, rest, { cwd: folder, env });
  const address = await waitFor(
    `the daemon: ${daemon.output()}`,
    () => /"address":"([^"]+)"/.exec(daemon.output())?.[1],
  );
  await waitFor('readyz', async () => (await fetch(`http://${address}/readyz`)).ok);
  return { ...daemon, address };
}

export async function statusOf({ inside }: Home, configuration?: string) {
  const where = configuration === undefined ? [] : ['--config', configuration];
  return JSON.parse((await inside('status', '--json', ...where)).stdout);
}

export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}
