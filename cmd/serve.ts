import { appliedPlans, requireResource } from '../core/applied.ts';
import type { Collection, DaemonSettings } from '../core/config/index.ts';
import { createReconcile, type DaemonContext, openSystemd, runDaemon } from '../core/daemon/index.ts';
import { exitCodes } from '../core/error-codes.ts';
import { jobKinds } from '../core/job/index.ts';
import { createLogger, type Logger, type LogLevel } from '../core/observe/index.ts';
import { type OperationContext, probeDestination, probeSource } from '../core/operation/index.ts';
import { parseDuration } from '../core/units.ts';
import { probesFor } from './change.ts';
import type { Workspace } from './compose.ts';
import { operationInProcess } from './job-process/operation.ts';
import { logLine } from './views/log-line.ts';

/**
 * Runs the daemon until it is told to end and has let go of its jobs. The log is all that it prints: when that cannot be
 * written any more it ends in the same order, and not with success, so that a service manager starts it again.
 */
export async function serve(workspace: Workspace, options: { logLevel: LogLevel; drain: string }): Promise<number> {
  const { ending, endingNow, unheard } = workspace.surroundings;
  const drainMs = parseDuration(options.drain);
  const logger = createLogger({ stream: logStream(workspace), level: options.logLevel });
  const context = await daemonContext(workspace, await workspace.operationContext(), logger, drainMs);
  await runDaemon(context, { drain: AbortSignal.any([ending, unheard]), stop: endingNow });
  return unheard.aborted ? unheardExitCode : exitCodes.ok;
}

const unheardExitCode = 1;

async function daemonContext(
  workspace: Workspace,
  operation: OperationContext,
  logger: Logger,
  drainMs: number,
): Promise<DaemonContext> {
  const { env, clock, process, self, version, onReload } = workspace.surroundings;
  const {
    listen,
    concurrency,
    keep,
    prune,
    catalog: catalogAddress,
  }: DaemonSettings = await workspace.daemonSettings();
  const { host, pid } = process;
  const configurationPath = await workspace.configurationPath();
  const resource = (collection: Collection, name: string) => requireResource(operation.catalog, collection, name);
  return {
    catalog: operation.catalog,
    clock,
    logger,
    identity: { owner: self.owner, pid, host, version },
    fate: self.fate,
    listen,
    concurrency,
    keep,
    prune,
    drainMs,
    kinds: jobKinds,
    operation: operationInProcess({ env, catalog: catalogAddress }),
    plans: (state) => appliedPlans(state, operation.drivers),
    probeSource: async (name, signal) => probeSource(operation, await resource('sources', name), signal),
    probeDestination: async (name, signal) => probeDestination(operation, await resource('destinations', name), signal),
    configurationPath,
    reconcile: createReconcile({
      catalog: operation.catalog,
      clock,
      probes: await probesFor(operation),
      load: () => workspace.configuration({ secrets: true }),
    }),
    onReload,
    onListening: (address) => logger.info({ address }, 'listening'),
    systemd: await openSystemd({ socket: env.NOTIFY_SOCKET, watchdogUsec: env.WATCHDOG_USEC }),
  };
}

/** JSON lines; on a terminal lines for people. */
function logStream({ surroundings: { stdout, clock }, output }: Workspace): { write(line: string): void } {
  if (stdout.isTTY !== true || output.json) return { write: (line) => void stdout.write(line) };
  return { write: (line) => void stdout.write(`${logLine(line, { ...output.look, now: clock.now() })}\n`) };
}
