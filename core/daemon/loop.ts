import { asTidemarkError, hasCode } from '../error.ts';
import type { Daemon } from './context.ts';

/** One of the things that a daemon does all the time. Runs until the signal fires; throws when it cannot go on. */
export interface Loop {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs `round` until the signal fires, `everyMs` apart or as soon as the bell rings. A busy catalog costs a round, and
 * the next one tries again.
 */
export async function goRound(
  daemon: Daemon,
  loop: { name: string; everyMs: number; signal: AbortSignal },
  round: () => Promise<void>,
): Promise<void> {
  daemon.health.pulse(loop.name); // the first round may hang
  while (!loop.signal.aborted) {
    const rings = daemon.bell.rings();
    try {
      await round();
    } catch (thrown) {
      if (!hasCode(thrown, 'CATALOG_BUSY')) throw thrown;
      daemon.context.logger.warn({ err: thrown, loop: loop.name }, 'the catalog is busy');
    }
    daemon.health.pulse(loop.name);
    if (!loop.signal.aborted) await daemon.bell.wait(loop.everyMs, rings);
  }
  daemon.health.end(loop.name);
}

/**
 * Runs loops until `drain` fires or one of them dies; then all are told to end. A death is told as `daemon.failed`, and
 * thrown when all have ended.
 */
export async function superviseLoops(daemon: Daemon, loops: readonly Loop[], drain: AbortSignal): Promise<void> {
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    daemon.bell.ring();
  };
  if (drain.aborted) stop();
  drain.addEventListener('abort', stop, { once: true });
  const ends = loops.map((loop) => loop.run(stopping.signal).catch((thrown) => tellDeath(daemon, loop, thrown, stop)));
  const died = (await Promise.all(ends)).find((error) => error !== undefined);
  drain.removeEventListener('abort', stop);
  if (died !== undefined) throw died;
}

async function tellDeath({ health, jobs, context }: Daemon, loop: Loop, thrown: unknown, stop: () => void) {
  const error = asTidemarkError(thrown);
  health.fail(loop.name);
  stop();
  context.logger.error({ err: error, loop: loop.name }, 'a part of the daemon died');
  const told = jobs.emit('daemon.failed', 'daemon', `${loop.name}: ${error.code}: ${error.message}`);
  await told.catch((failure: unknown) => context.logger.error({ err: asTidemarkError(failure) }, 'event not recorded'));
  return error;
}
