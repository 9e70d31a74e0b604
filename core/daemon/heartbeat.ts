import { pause } from '../clock.ts';
import type { Daemon, DaemonContext } from './context.ts';
import { goRound, type Loop } from './loop.ts';

const beatEveryMs = 5_000;
/** After this much silence the daemon counts as dead, and verbs run their jobs themselves. */
const aliveMs = 20_000;

/** Says in the catalog that somebody runs jobs, and what the watched configuration is like. */
export function heartbeatLoop(daemon: Daemon, startedAt: Date): Loop {
  return {
    name: 'heartbeat',
    run: async (signal) => {
      await goRound(daemon, { name: 'heartbeat', everyMs: beatEveryMs, signal }, () => beat(daemon, startedAt));
      await daemon.context.catalog.daemons.leave(daemon.context.identity.owner);
    },
  };
}

function beat({ context, configuration }: Daemon, startedAt: Date): Promise<void> {
  const { pendingChanges: _, ...current } = configuration.current;
  const until = new Date(context.clock.now().getTime() + aliveMs);
  return context.catalog.daemons.beat({ ...context.identity, startedAt, until, configuration: current });
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
