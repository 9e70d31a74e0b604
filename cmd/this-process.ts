import { availableParallelism, hostname, userInfo } from 'node:os';
import { systemClock } from '../core/clock.ts';
import description from '../package.json' with { type: 'json' };
import { processOwner, startedAt } from './process-owner.ts';
import type { Surroundings } from './surroundings.ts';

/** The surroundings that Node gives to this process. */
export function surroundingsOf(given: Pick<Surroundings, 'env' | 'ending' | 'endingNow' | 'unheard'>): Surroundings {
  return {
    ...given,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    version: description.version,
    process: {
      host: hostname(),
      user: userName(),
      pid: process.pid,
      alive: isAlive,
      threads: Math.min(8, availableParallelism()),
    },
    self: processOwner(hostname(), process.pid),
    drivers: async () => (await import('../drivers/index.ts')).drivers,
    onReload: (reload) => process.on('SIGHUP', reload),
  };
}

/** An account may have no name, as in a container that runs as a bare number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

function isAlive(pid: number, since?: Date): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const start = since && startedAt(pid);
  return start === undefined || start <= since!;
}
