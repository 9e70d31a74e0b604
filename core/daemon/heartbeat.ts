import type { DaemonRecord } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import type { Daemon, DaemonContext } from './context.ts';
import { goRound, type Loop } from './loop.ts';

const beatEveryMs = 5_000;
/** After this much silence the daemon counts as dead, and verbs run their jobs themselves. */
const aliveMs = 20_000;

export interface Heartbeat extends AsyncDisposable {
  readonly loop: Loop;
  /** Fires when the daemon has lost its catalog: what runs can record nothing any more. */
  readonly lost: AbortSignal;
}

/**
 * Says in the catalog that somebody runs jobs, and what the watched configuration is like. It begins at once and goes on
 * until it is disposed, which leaves the place to others: jobs may run on for long after the signal that ends `loop`, and
 * no other daemon may begin beside them. `loop` stands for it among the others, and fails with it.
 */
export function beginHeartbeat(daemon: Daemon, startedAt: Date): Heartbeat {
  const { catalog, identity } = daemon.context;
  const [ended, lost] = [new AbortController(), new AbortController()];
  const round = { name: 'heartbeat', everyMs: beatEveryMs, signal: ended.signal };
  const beating = goRound(daemon, round, () => beat(daemon, startedAt));
  beating.catch((thrown) => lost.abort(thrown)); // it is thrown by the loop
  const end = () => {
    ended.abort();
    daemon.bell.ring();
  };
  return {
    lost: lost.signal,
    loop: {
      name: round.name,
      run: (signal) => Promise.race([beating, fired(signal)]),
    },
    [Symbol.asyncDispose]: async () => {
      end();
      await beating.catch(() => {});
      if (!lost.signal.aborted) await catalog.daemons.leave(identity.owner);
    },
  };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The daemon's record as of now. */
export function recordOf({ context, configuration }: Daemon, startedAt: Date): DaemonRecord {
  const { pendingChanges: _, ...current } = configuration.current;
  const until = new Date(context.clock.now().getTime() + aliveMs);
  return { ...context.identity, startedAt, until, configuration: current };
}

async function beat(daemon: Daemon, startedAt: Date): Promise<void> {
  const { catalog } = daemon.context;
  await catalog.checkPresence();
  await catalog.daemons.beat(recordOf(daemon, startedAt));
}

/** Tells the service manager that the daemon lives, as long as all of its loops do. Goes on until it is disposed. */
export function keepWatchdog(daemon: Daemon, watchdogMs: number): AsyncDisposable {
  const ended = new AbortController();
  const beating = (async () => {
    do if (daemon.health.sick().length === 0) tellSystemd(daemon.context, 'WATCHDOG=1');
    while (await pause(daemon.context.clock, watchdogMs / 2, ended.signal));
  })();
  return {
    [Symbol.asyncDispose]: () => {
      ended.abort();
      return beating;
    },
  };
}

/** A manager that does not hear is told in the log; the work goes on. */
export function tellSystemd({ systemd, logger }: DaemonContext, state: string): void {
  try {
    systemd.notify(state);
  } catch (thrown) {
    logger.warn({ err: thrown, state }, 'systemd was not notified');
  }
}
