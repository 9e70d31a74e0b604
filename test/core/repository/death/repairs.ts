import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import { type Share, stepsOf } from '../../../kit/share.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { localStore } from '../repository-kit.ts';
import { breakages, broken, planRepair, readable, repair } from './broken.ts';
import { diskOf, full, watchDisks } from './filling-disk.ts';
import { judgeOf } from './judge.ts';
import { runOn, shapeOf } from './kills.ts';
import { openAlone } from './works.ts';

type Files = ReadonlySet<string>;

/**
 * Of a repository that a repair left: all that could be read before can be read still, in both ways, and another repair
 * makes it whole, with all that one leaves that nothing hinders. Looks once at all that are the same but for temporaries.
 */
type Judge = (folder: string) => Promise<void>;

async function judgeOfRepairs(t: TestContext, base: string): Promise<Judge> {
  const both = async (folder: string) => {
    const store = await localStore(folder);
    return [await readable(store, 'read'), await readable(store, 'salvage')] as const;
  };
  const repaired = async (folder: string): Promise<readonly [Files, Files]> => {
    const repository = await openAlone(await localStore(folder));
    await repair(repository, await planRepair(repository));
    return both(folder);
  };
  const judge = await judgeOf(t);
  const before = await both(base);
  const folder = join(await tempFolder(t, 'unhindered'), 'repository');
  await cp(base, folder, { recursive: true });
  const after = await repaired(folder);
  assert(after[0].size >= 4, 'something is left');
  const judged = new Set<string>();
  return async (left) => {
    const shape = (await shapeOf(base, left, 2000)).replaceAll(/"locks \d+",?/g, ''); // ids in documents compress as they like
    if (judged.has(shape)) return;
    judged.add(shape);
    for (const [at, files] of (await both(left)).entries()) {
      assert.deepEqual([...before[at]!.difference(files)], [], `${left}, ${['read', 'salvage'][at]}`);
    }
    assert.deepEqual(await repaired(left), after, left);
    await judge.check(left);
  };
}

/** A judgement, and a repair, mostly wait for locks to settle. */
const atOnce = 3;

/** Tests of a repair of each breakage, killed at each of its changes and with a disk that gets full, or at a share of them. */
export function testRepairs(share: Share): void {
  for (const breakage of Object.keys(breakages)) {
    test(`a repair of ${breakage} that is killed anywhere, or whose disk gets full, costs nothing, and another one ends the work`, async (t) => {
      const base = await broken(t, breakage);
      const judge = await judgeOfRepairs(t, base);
      const kills = await killEverywhere(t, base, judge, share);
      const failures = await fillEverywhere(t, base, judge, share);
      t.diagnostic(`${kills} kills, ${failures} full disks`);
      assert(kills >= 4 && failures >= 3, `${kills} kills, ${failures} full disks`);
    });
  }
}

function lanes(lane: () => Promise<void>): Promise<unknown> {
  return Promise.all(Array.from({ length: atOnce }, lane));
}

const child = join(import.meta.dirname, 'repair-child.ts');

/** Gives how many kills it took. */
async function killEverywhere(t: TestContext, base: string, judge: Judge, share: Share): Promise<number> {
  const folder = await tempFolder(t, 'repairs');
  const { first, step } = stepsOf(t, share);
  let [next, kills] = [first, 0];
  await lanes(async () => {
    for (let wasKilled = true; wasKilled; ) {
      const point = next;
      next += step;
      const repository = join(folder, `${point}`);
      const ran = await runOn(repository, base, [child, repository, `${point}`]);
      assert(ran.signal === 'SIGKILL' || ran.code === 0, `a repair failed by itself at ${point}: ${ran.stderr}`);
      wasKilled = ran.signal === 'SIGKILL';
      if (wasKilled) kills += 1;
      await judge(repository);
      await rm(repository, { recursive: true });
    }
  });
  return kills;
}

/** Gives how often it failed for want of space. */
async function fillEverywhere(t: TestContext, base: string, judge: Judge, share: Share): Promise<number> {
  const plan = await planRepair(await openAlone(await localStore(base)));
  const disks = await Promise.all(Array.from({ length: atOnce }, () => diskOf(t)));
  watchDisks(t, disks, ['open', 'link']);
  const left = disks.values();
  const { first, step } = stepsOf(t, share);
  let [next, failures] = [first, 0];
  await lanes(async () => {
    const disk = left.next().value!;
    for (let hit = true; hit; ) {
      await cp(base, disk.repository, { recursive: true });
      const need = next;
      next += step;
      disk.fillAt(need);
      const thrown = await repair(await openAlone(await localStore(disk.repository)), plan).catch(asTidemarkError);
      if (thrown !== undefined) {
        failures += 1;
        assert.match(`${thrown.code} ${thrown.message}`, full, `full at need ${need}`);
      }
      hit = await disk.empty();
      await judge(disk.repository);
      await rm(disk.repository, { recursive: true });
    }
  });
  return failures;
}
