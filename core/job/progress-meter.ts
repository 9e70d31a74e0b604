import type { JobProgress } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { Progress } from '../driver/index.ts';

/** Adds up what an operation tells, for whoever looks now and then. */
export interface ProgressMeter extends Progress {
  read(): JobProgress;
}

export function createProgressMeter(clock: Clock): ProgressMeter {
  const total: { bytes?: number; items?: number } = {};
  const done = { bytes: 0, items: 0 };
  let step = 'starting';
  return {
    add({ bytes = 0, items = 0 }) {
      done.bytes += bytes;
      done.items += items;
    },
    expect: (expected) => void Object.assign(total, expected),
    step: (text) => {
      step = text;
    },
    read: () => ({
      step,
      doneBytes: done.bytes,
      doneItems: done.items,
      ...(total.bytes === undefined ? {} : { totalBytes: total.bytes }),
      ...(total.items === undefined ? {} : { totalItems: total.items }),
      at: clock.now(),
    }),
  };
}
