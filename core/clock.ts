import { setTimeout as delay } from 'node:timers/promises';

/** The only source of time. Tests inject their own. */
export interface Clock {
  now(): Date;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with `AbortError` as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};

/** Waits; gives false as soon as the signal fires, instead of throwing. For the sleep of a loop. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (thrown) {
    if (signal.aborted) return false;
    throw thrown;
  }
}
