import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeCondition, rangesBetween, splitIntegers } from '../../../../drivers/mysql/dump/ranges.ts';

test('integer cuts ascend, lie within the keys, and no part is too large unless it is one value', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomOf(seed);
    const keys = Array.from({ length: 1 + Math.floor(random() * 400) }, () => randomKey(random)).sort(compare);
    const estimate = async (low: bigint, high: bigint) => keys.filter((key) => key >= low && key < high).length;
    const target = 1 + Math.floor(random() * 50);
    const cuts = await splitIntegers(keys[0]!, keys.at(-1)!, target, estimate);
    const edges = [keys[0]!, ...cuts, keys.at(-1)! + 1n];
    for (let at = 1; at < edges.length; at++) {
      assert.ok(edges[at - 1]! < edges[at]!, `seed ${seed}: ${edges}`);
      const inside = keys.filter((key) => key >= edges[at - 1]! && key < edges[at]!);
      assert.ok(inside.length <= target || new Set(inside).size === 1, `seed ${seed}: ${inside.length} of ${target}`);
    }
  }
});

test('cuts stay where they are while rows are added behind', async () => {
  const estimateUpTo = (last: bigint) => async (low: bigint, high: bigint) =>
    Math.max(0, Number((high <= last ? high : last + 1n) - (low > 1n ? low : 1n)));
  const before = await splitIntegers(1n, 100_000n, 5000, estimateUpTo(100_000n));
  const after = await splitIntegers(1n, 130_000n, 5000, estimateUpTo(130_000n));
  assert.deepEqual(after.slice(0, before.length), before);
  assert.ok(before.length > 15);
});

test('every row, also outside of what was sampled, is in exactly one range', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomOf(seed);
    const digit = () => Math.floor(random() * 6);
    const bounds = uniqueSorted(
      Array.from({ length: 1 + digit() }, () => [digit(), digit()].slice(0, 1 + (digit() & 1))),
    );
    const ranges = rangesBetween(bounds.map((bound) => bound.map(String)));
    for (let a = -1; a <= 7; a++) {
      for (let b = -1; b <= 7; b++) {
        const hits = ranges.filter((range) => holds(rangeCondition(['a', 'b'], range), a, b));
        assert.equal(hits.length, 1, `seed ${seed}, row ${a},${b}, bounds ${JSON.stringify(bounds)}`);
      }
    }
  }
});

test('a range without bounds has no condition', () => {
  assert.deepEqual(rangesBetween([]), [{ from: undefined, to: undefined }]);
  assert.equal(rangeCondition(['a'], {}), undefined);
});

/** Works out a condition as JavaScript: the operators are the same in both. */
function holds(condition: string | undefined, a: number, b: number): boolean {
  const script = condition!
    .replaceAll('`', '')
    .replaceAll('OR', '||')
    .replaceAll('AND', '&&')
    .replaceAll(/ = /g, ' === ');
  return new Function('a', 'b', `return ${script}`)(a, b);
}

function uniqueSorted(bounds: number[][]): number[][] {
  const full = (bound: number[]) => [bound[0]!, bound[1] ?? Number.NEGATIVE_INFINITY] as const;
  const order = (x: number[], y: number[]) =>
    full(x)[0] - full(y)[0] || (full(x)[1] < full(y)[1] ? -1 : full(x)[1] > full(y)[1] ? 1 : 0);
  const sorted = bounds.toSorted(order);
  return sorted.filter((bound, at) => at === 0 || order(sorted[at - 1]!, bound) !== 0);
}

function randomKey(random: () => number): bigint {
  const shape = random();
  if (shape < 0.4) return BigInt(Math.floor(random() * 100));
  if (shape < 0.6) return -BigInt(Math.floor(random() * 2 ** 40));
  return 2n ** 63n - 1n - BigInt(Math.floor(random() * 2 ** 20));
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
