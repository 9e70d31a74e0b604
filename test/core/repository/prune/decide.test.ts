import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, verdicts } from '../../../../core/repository/prune/decide.ts';

const MiB = 1024 * 1024;

interface Pack {
  readonly bytes: number;
  /** Of `bytes`; nothing when left out. */
  readonly unused?: number;
  readonly tree?: boolean;
}

/** Packs of one blob that is used and one that is not, and the bytes of those that are repacked. */
function repacked(packs: readonly Pack[], { percent = 5, now = false } = {}): number[] {
  const never = () => false;
  const counts = {
    usedBytes: Float64Array.from(packs, ({ bytes, unused = 0 }) => bytes - unused),
    usedBlobs: Uint32Array.from(packs, () => 1),
    blobBytes: Float64Array.from(packs, ({ bytes }) => bytes),
    hasTrees: Uint8Array.from(packs, ({ tree }) => (tree === true ? 1 : 0)),
  };
  const sizes = Float64Array.from(packs, ({ bytes }) => bytes);
  const options = { maxUnused: { percent }, now, isRunning: never, isMarked: never, isRipe: never };
  const decided = decide({ packCount: packs.length }, counts, sizes, options);
  return packs.flatMap(({ bytes }, at) => (verdicts[decided[at]!]!.action === 'repack' ? bytes : []));
}

const packsOf = (count: number, pack: Pack) => Array.from({ length: count }, () => pack);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

test('packs of the 4 to 5 MiB that restic once made are not small: with nothing to free nothing is written anew', () => {
  assert.deepEqual(
    repacked([...packsOf(40, { bytes: 4.6 * MiB }), ...packsOf(40, { bytes: 5 * MiB, tree: true })]),
    [],
  );
});

test('small packs are put together as far as it is cheap, the smallest first, and never where room is wanted', () => {
  const small = packsOf(400, { bytes: 600_000 });
  const tiny = packsOf(12, { bytes: 9000, tree: true });
  const chosen = repacked([...small, ...tiny]);
  assert(sum(chosen) <= 64 * MiB && sum(chosen) > 60 * MiB, `${sum(chosen)}`);
  assert.equal(chosen.filter((bytes) => bytes === 9000).length, 12);
  assert.equal(repacked(packsOf(9, { bytes: 9000 })).length, 0, 'too few to be worth it');
  assert.deepEqual(repacked([...small, ...tiny], { now: true }), []);
});

test('a pack of trees is written anew below the limit where that frees as much as it writes, and not for a byte', () => {
  const data = packsOf(30, { bytes: 16 * MiB });
  assert.deepEqual(repacked([...data, ...packsOf(3, { bytes: 16 * MiB, unused: MiB, tree: true })]), []);
  assert.deepEqual(repacked([...data, { bytes: 16 * MiB, unused: 9 * MiB, tree: true }]), [16 * MiB]);
});

test('over the limit those go first that free most for what is written, trees or not', () => {
  const trees = packsOf(10, { bytes: 16 * MiB, unused: MiB, tree: true });
  const data = packsOf(2, { bytes: 10 * MiB, unused: 9 * MiB });
  assert.deepEqual(repacked([...trees, ...data], { percent: 7 }), [10 * MiB, 10 * MiB]);
});
