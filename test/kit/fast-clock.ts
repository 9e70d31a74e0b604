import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';

/**
 * Time that passes `factor` times as fast, from `start` on: a minute's back-off takes a second at 60. Processes that
 * are given the same `originMs` share it.
 */
export function fastClock(factor: number, originMs = realMs(), start = new Date('2026-03-01T00:00:00Z')): Clock {
  const elapsedMs = () => (realMs() - originMs) * factor;
  return {
    now: () => new Date(start.getTime() + elapsedMs()),
    monotonicMs: elapsedMs,
    sleep: (ms, signal) => delay(ms / factor, undefined, { signal }),
  };
}

function realMs(): number {
  return performance.timeOrigin + performance.now();
}
