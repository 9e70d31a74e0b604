import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import { type Share, stepsOf } from '../../../kit/share.ts';
import { localStore } from '../repository-kit.ts';
import { type Disk, diskOf, full, watchDisks } from './filling-disk.ts';
import { type Judge, judgeOf } from './judge.ts';
import { baseOf } from './kills.ts';
import { type Work, works } from './works.ts';

/** A work mostly waits, for its lock to settle. */
const disksAtOnce = 3;
/** Tests of all works, with a disk that gets full at each of their writes, or at a share of them. */
export function testFullDisks(share: Share): void {
  for (const [name, work] of Object.entries(works)) {
    test(`${name}, when the disk gets full at any write, says so, leaves all that was reported, and goes on`, async (t) => {
      const { failures, disks } = await fillEverywhere(t, work, share);
      t.diagnostic(`${failures} failures of ${disks} full disks`);
      assert(failures >= (share === 'all' ? 5 : 1));
    });
  }
}

async function fillEverywhere(t: TestContext, work: Work, share: Share): Promise<{ failures: number; disks: number }> {
  const base = await baseOf(t, work);
  const judge = await judgeOf(t);
  const disks = await Promise.all(Array.from({ length: disksAtOnce }, () => diskOf(t)));
  watchDisks(t, disks);
  const { first, step } = stepsOf(t, share);
  let next = first;
  let failures = 0;
  const fillOn = async (disk: Disk) => {
    for (let hit = true; hit; ) {
      const need = next;
      next += step;
      hit = await fillAt(disk, need, base, work, judge, () => failures++);
    }
  };
  await Promise.all(disks.map(fillOn));
  return { failures, disks: (next - first) / step };
}

/** False when the work had ended before it needed space that often. */
async function fillAt(
  disk: Disk,
  need: number,
  base: string,
  work: Work,
  judge: Judge,
  onFailure: () => void,
): Promise<boolean> {
  await cp(base, disk.repository, { recursive: true });
  disk.fillAt(need);
  const reported = [...work.base];
  try {
    await work.run(await localStore(disk.repository), (name) => reported.push(name));
  } catch (thrown) {
    const error = asTidemarkError(thrown);
    assert.match(`${error.code} ${error.message}`, full, `full at need ${need}`);
    assert.match(String(error.hint), /Free or add space there/);
    onFailure();
  }
  await judge.check(disk.repository);
  const hit = await disk.empty();
  await judge.goOn(disk.repository, reported);
  await rm(disk.repository, { recursive: true });
  return hit;
}
