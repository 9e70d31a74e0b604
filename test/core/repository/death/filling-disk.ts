/** Disks that get full when it is wanted. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ChangePoint, watchChanges } from '../../../kit/change-points.ts';
import { smallDisk } from '../../../kit/small-disk.ts';

/** A lock that could not be refreshed for long is lost, whatever the reason. */
export const full = /^(DESTINATION_FULL|REPOSITORY_LOCK_LOST the lock could not be refreshed:) no space left at /;
/** What needs space: a byte of a file, or the name of one. */
const needsSpace: readonly ChangePoint['call'][] = ['open', 'write', 'mkdir'];

/** Counts what needs space on them, until the test ends. */
export function watchDisks(t: TestContext, disks: readonly Disk[], counted = needsSpace): void {
  const stop = watchChanges(tmpdir(), ({ call, path }) => {
    if (counted.includes(call)) disks.find((disk) => path.startsWith(disk.repository))?.onNeed();
  });
  t.after(stop);
}

export interface Disk {
  readonly repository: string;
  /** From the so-manyth need on, counted from 0, there is no space and no room for names. */
  fillAt(need: number): void;
  onNeed(): void;
  /** Makes space again. Whether it was full. */
  empty(): Promise<boolean>;
}

export async function diskOf(t: TestContext): Promise<Disk> {
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
