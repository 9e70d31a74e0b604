import type { DaemonRecord } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { TidemarkError } from '../error.ts';
import type { DaemonContext } from './context.ts';

/**
 * Takes the place of the one daemon of a catalog. The record of a process that is known to have ended does not count; for
 * one of which that cannot be known, on another host or in another container, the daemon waits until the record would
 * have been renewed. `record` gives its own as of now: one from before the wait would have ended by then, and another daemon
 * could take the place before the first beat. Throws DAEMON_RUNNING, and the reason of the signal.
 */
export async function enterCatalog(
  context: DaemonContext,
  record: () => DaemonRecord,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, clock, logger, fate } = context;
  for (let waitedFor: DaemonRecord | undefined; ; ) {
    signal.throwIfAborted();
    const rival = await catalog.daemons.enter(record());
    if (rival === undefined) return;
    const known = fate(rival.owner);
    const renewed = waitedFor?.owner === rival.owner && rival.until > waitedFor.until;
    if (known === 'alive' || renewed) throw occupied(rival);
    if (known === 'gone') {
      logger.warn({ owner: rival.owner }, 'the daemon before this one ended without leaving');
      await catalog.daemons.leave(rival.owner);
      continue;
    }
    if (waitedFor?.owner !== rival.owner)
      logger.warn({ owner: rival.owner }, 'waiting to see whether that daemon lives');
    waitedFor ??= rival;
    await pause(clock, lookEveryMs, signal);
  }
}

const lookEveryMs = 1_000;

function occupied({ owner, pid, host, startedAt }: DaemonRecord): TidemarkError {
  const text = `a daemon runs on this catalog already: process ${pid} on ${host} since ${startedAt.toISOString()} (${owner})`;
  return new TidemarkError('DAEMON_RUNNING', text, {
    subject: 'daemon',
    hint: 'Stop that one first, or give this one a catalog of its own with `daemon.catalog`.',
  });
}
