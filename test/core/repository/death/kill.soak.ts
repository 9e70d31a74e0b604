import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killEverywhere } from './kills.ts';
import { works } from './works.ts';

/** A kill takes about a second. */
const most = 1500;

test('killed again and again, and gone on after each time', { timeout: 4_000_000 }, async (t) => {
  const endsAtMs = performance.now() + Number(process.env.TIDEMARK_SOAK_MINUTES ?? 60) * 60_000;
  let kills = 0;
  for (let round = 1; kills < most && performance.now() < endsAtMs; round++) {
    for (const name of Object.keys(works)) {
      if (performance.now() < endsAtMs) kills += await killEverywhere(t, name, 'always');
    }
    t.diagnostic(`${kills} kills after round ${round}`);
  }
  assert(kills > 0);
});
