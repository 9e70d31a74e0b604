import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import { watchChanges } from '../../../kit/change-points.ts';
import { type Share, stepsOf } from '../../../kit/share.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { localStore } from '../repository-kit.ts';
import { type Judge, judgeOf } from './judge.ts';
import { baseOf } from './kills.ts';
import { type Work, works } from './works.ts';

/** A work mostly waits, for its lock to settle. */
const disksAtOnce = 3;
/** A lock that could not be refreshed for long is lost, whatever the reason. */
const full = /^(DESTINATION_FULL|REPOSITORY_LOCK_LOST the lock could not be refreshed:) no space left at /;
/** What needs space: a byte of a file, or the name of one. */
const needsSpace = ['open', 'write', 'mkdir'];

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
  const stop = watchChanges(tmpdir(), ({ call, path }) => {
    if (needsSpace.includes(call)) disks.find((disk) => path.startsWith(disk.repository))?.onNeed();
  });
  t.after(stop);
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

interface Disk {
  readonly repository: string;
  /** From the so-manyth need on, counted from 0, there is no space and no room for names. */
  fillAt(need: number): void;
  onNeed(): void;
  /** Makes space again. Whether it was full. */
  empty(): Promise<boolean>;
}

async function diskOf(t: TestContext): Promise<Disk> {
  const folder = await smallDisk(t, 24 * 2 ** 20, 400);
  const ballast = join(folder, 'ballast');
  await mkdir(ballast);
  let left = Number.POSITIVE_INFINITY;
  return {
    repository: join(folder, 'repository'),
    fillAt: (need) => {
      left = need;
    },
    onNeed: () => {
      if (left-- === 0) fill(ballast);
    },
    empty: async () => {
      const hit = left < 0;
      left = Number.POSITIVE_INFINITY;
      await rm(ballast, { recursive: true });
      await mkdir(ballast);
      return hit;
    },
  };
}

function fill(folder: string): void {
  const bytes = Buffer.alloc(2 ** 20, 'full');
  untilFull((at) => {
    const file = openSync(join(folder, `${at}`), 'wx');
    try {
      untilFull(() => writeSync(file, bytes));
    } finally {
      closeSync(file);
    }
  });
}

function untilFull(write: (at: number) => void): void {
  for (let at = 0; ; at++) {
    try {
      write(at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      return;
    }
  }
}
