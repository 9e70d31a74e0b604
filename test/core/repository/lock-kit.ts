import type { TestContext } from 'node:test';
import type { Clock } from '../../../core/clock.ts';
import type { Store } from '../../../core/driver/index.ts';
import { Repository } from '../../../core/repository/index.ts';
import { FaultyStore } from '../../kit/faulty-store.ts';
import { waitFor } from '../../kit/process.ts';
import { newPlace, openOptions } from './repository-kit.ts';

export const minuteMs = 60_000;
/** Locks that settle as long as they ought to. */
export const inEarnest = { lockSettleMs: undefined };

export async function withHandClock(
  t: TestContext,
  change: (store: Store) => Store = (store) => store,
  clock = new HandClock(),
) {
  const place = await newPlace(t, inEarnest);
  const faulty = new FaultyStore(place.store);
  const repository = await Repository.open(openOptions(change(faulty), { clock, ...inEarnest }));
  return { ...place, clock, faulty, repository };
}

export function replaced(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export function locksOf(store: Store): Promise<string[]> {
  return Array.fromAsync(store.list('locks/'), ({ name }) => name);
}

/** Time passes only when the test says so. */
export class HandClock implements Clock {
  #atMs = Date.parse('2026-03-01T12:00:00Z');
  #standbyMs = 0;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();

  now(): Date {
    return new Date(this.#atMs + this.#standbyMs);
  }

  monotonicMs(): number {
    return this.#atMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#atMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The machine sleeps: the monotonic clock stands still, and timers with it. */
  standby(ms: number): void {
    this.#standbyMs += ms;
  }

  /** Until somebody sleeps, for this long at most. */
  untilSleeping(atMostMs: number): Promise<unknown> {
    const due = () => [...this.#sleepers].some(({ untilMs }) => untilMs <= this.#atMs + atMostMs);
    return waitFor('somebody to sleep', due);
  }

  /** `wake: false`: whoever sleeps is thought of as dead or hanging. */
  forward(ms: number, { wake = true } = {}): void {
    this.#atMs += ms;
    if (!wake) return;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#atMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
