import type { TestContext } from 'node:test';
import { soakSeed } from './soak.ts';

/** How much of what is numbered is tried: a soak tries all, `npm test` every third or seventh one, from another one on each time. */
export type Share = 'all' | 'third' | 'seventh';

/** The numbers from 0 on that are tried are the first one and each that is a step further. Prints which. */
export function stepsOf(t: TestContext, share: Share): { first: number; step: number } {
  if (share === 'all') return { first: 0, step: 1 };
  const step = share === 'third' ? 3 : 7;
  const first = Number.parseInt(soakSeed, 10) % step;
  t.diagnostic(`every ${share}, from ${first} on: TIDEMARK_SOAK_SEED=${soakSeed}`);
  return { first, step };
}
