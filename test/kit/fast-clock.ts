import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';

/** Time that passes `factor` times as fast, from `start` on: a minute's back-off takes a second at 60. */
export function fastClock(factor: number, start = new Date('2026-03-01T00:00:00Z')): Clock {
  const origin = performance.now();
  const elapsedMs = () => (performance.now() - origin) * factor;
  return {
    now: () => new Date(start.getTime() + elapsedMs()),
    monotonicMs: elapsedMs,
    sleep: (ms, signal) => delay(ms / factor, undefined, { signal }),
  };
}
