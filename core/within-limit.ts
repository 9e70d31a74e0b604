import { unlessAborted } from './abort.ts';
import { type Clock, pause } from './clock.ts';
import type { TidemarkError } from './error.ts';

/**
 * What a call to the outside comes to. The wait ends with the reason of `signal`, or with `late` after `limitMs`, whatever
 * the call makes of the signal that it gets: a server that accepts and then says nothing must not hold up the daemon.
 */
export async function withinLimit<T>(
  { clock, limitMs, late, signal }: { clock: Clock; limitMs: number; late: TidemarkError; signal: AbortSignal },
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [over, answered] = [new AbortController(), new AbortController()];
  const limited = AbortSignal.any([signal, over.signal]);
  void pause(clock, limitMs, answered.signal).then((waited) => waited && over.abort(late));
  try {
    return await unlessAborted(call(limited), limited);
  } finally {
    answered.abort();
  }
}
