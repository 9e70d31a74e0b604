import { type Clock, pause } from '../clock.ts';

/** Wakes the loops of this process before their time is up. */
export interface Bell {
  ring(): void;
  /** What `wait` compares with: a ring after it was read is not slept through. */
  rings(): number;
  /** Waits for `ms`, or until the bell rings; not at all when it has rung since `rings`. */
  wait(ms: number, rings: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let count = 0;
  const waiting = new Set<AbortController>();
  return {
    ring() {
      count += 1;
      for (const waiter of waiting) waiter.abort();
    },
    rings: () => count,
    async wait(ms, rings) {
      if (rings !== count) return;
      const waiter = new AbortController();
      waiting.add(waiter);
      await pause(clock, ms, waiter.signal);
      waiting.delete(waiter);
    },
  };
}
