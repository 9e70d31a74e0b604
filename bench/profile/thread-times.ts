import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of the threads of one name in one phase. */
export interface ThreadTime {
  readonly thread: string;
  readonly phase: Phase;
  readonly cpuMs: number;
}

/** Seen from the data threads: while there are none yet, while there are some, when they have ended. */
export const phases = ['before', 'with', 'after'] as const;
type Phase = (typeof phases)[number];

const everyMs = 10;

/**
 * Watches the threads of a process, until `stop`. Its last few milliseconds, and those of a thread that ends, are not
 * seen; the sum of `/usr/bin/time` has them.
 */
export function watchThreads(pid: number): { stop(): readonly ThreadTime[] } {
  const lastNs = new Map<string, number>();
  const sums = new Map<string, ThreadTime>();
  let phase: Phase = 'before';
  const look = () => {
    const threads = readThreads(pid);
    const working = threads.some(({ name }) => name.startsWith('data'));
    if (working) phase = 'with';
    else if (phase === 'with' && threads.length > 0) phase = 'after';
    for (const { id, name, cpuNs } of threads) {
      const key = `${name}\n${phase}`;
      const cpuMs = (sums.get(key)?.cpuMs ?? 0) + (cpuNs - (lastNs.get(id) ?? 0)) / 1e6;
      sums.set(key, { thread: name, phase, cpuMs });
      lastNs.set(id, cpuNs);
    }
  };
  const timer = setInterval(look, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return [...sums.values()];
    },
  };
}

function readThreads(pid: number): { id: string; name: string; cpuNs: number }[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((id) => readThread(`/proc/${pid}/task/${id}`, id));
  } catch {
    return []; // it has ended
  }
}

function readThread(folder: string, id: string): { id: string; name: string; cpuNs: number }[] {
  try {
    const name = readFileSync(`${folder}/comm`, 'utf8').trim();
    return [{ id, name, cpuNs: Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) }];
  } catch {
    return [];
  }
}
