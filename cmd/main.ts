import { enableCompileCache } from 'node:module';
import { availableParallelism, homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { TidemarkError } from '../core/error.ts';
import description from '../package.json' with { type: 'json' };
import type { Surroundings } from './surroundings.ts';

// Halves the time that a verb takes to start. Not in the shared temporary folder, where others could plant code.
const cacheFolder = process.env.CACHE_DIRECTORY ?? process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
enableCompileCache(join(cacheFolder, 'tidemark'));
const { main } = await import('./program.ts');

const [ending, endingNow] = [new AbortController(), new AbortController()];

const surroundings: Surroundings = {
  env: process.env,
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
  drivers: async () => (await import('../drivers/index.ts')).drivers,
  ending: ending.signal,
  endingNow: endingNow.signal,
  onReload: (reload) => process.on('SIGHUP', reload),
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const next = ending.signal.aborted ? endingNow : ending;
    next.abort(new TidemarkError('CANCELLED', `ended by ${signal}`));
  });
}
// The reader went away, as `head` does: nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const exitCode = await main(process.argv.slice(2), surroundings);
if (endingNow.signal.aborted) process.exit(exitCode);
process.exitCode = exitCode;

/** An account may have no name, as in a container that runs as a bare number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
