import { planKinds } from '../job/index.ts';
import { createEmitter, createMetrics } from '../observe/index.ts';
import { createTurns } from '../turns.ts';
import { createBell } from './bell.ts';
import { configurationLoop, firstReading } from './configuration.ts';
import type { Daemon, DaemonContext } from './context.ts';
import { enterCatalog } from './enter.ts';
import { forgetLoop } from './forget.ts';
import { createHealth } from './health.ts';
import { beginHeartbeat, type Heartbeat, keepWatchdog, recordOf, tellSystemd } from './heartbeat.ts';
import { listenHttp } from './http.ts';
import { type Loop, superviseLoops } from './loop.ts';
import { pruneLoop } from './prune-scheduler.ts';
import { runnerLoop } from './runner.ts';
import { schedulerLoop } from './scheduler.ts';
import { suspensionLoop } from './suspension.ts';

export interface DaemonSignals {
  /** Stop taking work; running jobs may end within `drainMs`. */
  readonly drain: AbortSignal;
  /** Interrupt running jobs at once. Fires after `drain`, or with it. */
  readonly stop: AbortSignal;
}

/**
 * Runs schedules, jobs, the watch of the configuration and HTTP until `drain` fires, and resolves when all have ended. One
 * daemon runs on a catalog. Rejects when it cannot start, or when a part of it died: start it again then.
 */
export async function runDaemon(context: DaemonContext, { drain, stop }: DaemonSignals): Promise<void> {
  const startedAt = context.clock.now();
  const daemon = assemble(context);
  let ready = false;
  await enterCatalog(context, () => recordOf(daemon, startedAt), drain);
  await using scope = new AsyncDisposableStack();
  const heartbeat = scope.use(beginHeartbeat(daemon, startedAt));
  const isReady = () => ready && daemon.health.sick().length === 0;
  const http = scope.use(await listenHttp(context.listen, httpSources(daemon, isReady)));
  context.onListening?.(http.address);
  await tellNewCatalog(daemon);
  await daemon.jobs.emit('daemon.started', 'daemon', `${context.identity.owner} listens on ${http.address}`);
  const supervised = superviseLoops(daemon, loops(daemon, heartbeat, stop), drain);
  drain.addEventListener('abort', () => tellSystemd(context, 'STOPPING=1'), { once: true });
  await Promise.race([firstReading(daemon, drain), supervised]);
  ready = true;
  tellSystemd(context, 'READY=1');
  const { watchdogMs } = context.systemd;
  if (watchdogMs !== undefined) scope.use(keepWatchdog(daemon, watchdogMs));
  await supervised;
  await daemon.jobs.emit('daemon.stopped', 'daemon', `${context.identity.owner} stopped`);
}

/** A lost catalog looks like a new one: nothing is wrong with it, and nobody would notice what is not there any more. */
async function tellNewCatalog({ context, jobs }: Daemon): Promise<void> {
  const { serial } = await context.catalog.state.read();
  if (serial > 0) return;
  const text =
    'the catalog is new: the configuration is applied afresh, and nothing is known of earlier backups, jobs and pauses; if there were backups before, run `tidemark catalog import` for each destination';
  await jobs.emit('catalog.new', 'catalog', text);
}

/** The parts of a daemon. Plans are worked out once for each applied state, not in every round. */
function assemble(given: DaemonContext): Daemon {
  const context = { ...given, plans: rememberLast(given.plans) };
  const { catalog, clock, logger, identity, kinds, fate } = context;
  const jobs = { catalog, clock, kinds, owner: identity.owner, fate, emit: createEmitter(catalog.events, logger) };
  const current = { state: 'applied', text: 'not read yet', at: clock.now(), pendingChanges: 0 } as const;
  return {
    context,
    jobs,
    bell: createBell(clock),
    health: createHealth(clock),
    turns: createTurns(),
    configuration: { current },
  };
}

function rememberLast(plans: DaemonContext['plans']): DaemonContext['plans'] {
  let last: { key: string; plans: ReturnType<DaemonContext['plans']> } | undefined;
  return (state) => {
    const key = `${state.lineage} ${state.serial}`;
    if (last?.key !== key) last = { key, plans: plans(state) };
    return last.plans;
  };
}

function httpSources({ context, health, configuration }: Daemon, ready: () => boolean) {
  const { catalog, clock, identity, logger } = context;
  const metrics = createMetrics({
    kinds: { all: Object.keys(context.kinds), ofPlans: planKinds(context.kinds) },
    catalog,
    clock,
    version: identity.version,
    plans: context.plans,
    prune: context.prune,
    configuration: () => configuration.current,
  });
  return { metrics, logger, sick: health.sick, ready };
}

function loops(daemon: Daemon, { loop, lost }: Heartbeat, stop: AbortSignal): readonly Loop[] {
  return [
    loop,
    configurationLoop(daemon),
    schedulerLoop(daemon),
    suspensionLoop(daemon),
    pruneLoop(daemon),
    runnerLoop(daemon, AbortSignal.any([stop, lost])),
    forgetLoop(daemon),
  ];
}
