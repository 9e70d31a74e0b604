import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import type { RepairPlan } from '../../../../core/repository/index.ts';
import { watchChanges } from '../../../kit/change-points.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { localStore } from '../repository-kit.ts';
import { breakages, broken, openDying, planRepair, readable, repair } from './broken.ts';
import { diskOf, full, watchDisks } from './filling-disk.ts';
import { judgeOf } from './judge.ts';
import { shapeOf } from './kills.ts';
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

for (const breakage of Object.keys(breakages)) {
  test(`a repair of ${breakage} that ends anywhere, or whose disk gets full, costs nothing, and another one ends the work`, async (t) => {
    const base = await broken(t, breakage);
    const judge = await judgeOfRepairs(t, base);
    const plan = await planRepair(await openAlone(await localStore(base)));
    const states = await statesOf(base, plan, await tempFolder(t, 'repairs'));
    const left = states.values();
    await lanes(async () => {
      for (const state of left) await judge(state);
    });
    const failures = await fillEverywhere(t, base, plan, judge);
    t.diagnostic(`${states.length} states, ${failures} full disks`);
    assert(states.length >= 12 && failures >= 8, `${states.length} states, ${failures} full disks`);
  });
}

function lanes(lane: () => Promise<void>): Promise<unknown> {
  return Promise.all(Array.from({ length: atOnce }, lane));
}

/** What takes effect: between these only temporary files differ. */
const changes = ['rename', 'link', 'unlink', 'rm'];

/** A copy of the repository before every change of a file: what a process leaves on the disk that is killed there. */
async function statesOf(base: string, plan: RepairPlan, folder: string): Promise<string[]> {
  const running = join(folder, 'running');
  await cp(base, running, { recursive: true });
  const states: string[] = [];
  const stop = watchChanges(running, ({ call }) => {
    if (!changes.includes(call)) return;
    const state = join(folder, `${states.length}`);
    cpSync(running, state, { recursive: true });
    states.push(state);
  });
  try {
    await repair(await openDying(await localStore(running)), plan);
  } finally {
    stop();
  }
  return [...states, running];
}

/** Gives how often it failed for want of space. */
async function fillEverywhere(t: TestContext, base: string, plan: RepairPlan, judge: Judge): Promise<number> {
  const disks = await Promise.all(Array.from({ length: atOnce }, () => diskOf(t)));
  watchDisks(t, disks, ['open']);
  const left = disks.values();
  let [next, failures] = [0, 0];
  await lanes(async () => {
    const disk = left.next().value!;
    for (let hit = true; hit; ) {
      await cp(base, disk.repository, { recursive: true });
      const need = next++;
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
