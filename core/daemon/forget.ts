import type { Daemon } from './context.ts';
import { goRound, type Loop } from './loop.ts';

const name = 'forget';
/** When nothing is left to forget it is looked again after this. */
const pauseMs = 3_600_000;

/** Deletes jobs and events that are older, or more, than the catalog is to keep: slowly, a batch of each per round. */
export function forgetLoop(daemon: Daemon): Loop {
  let nextAtMs = 0;
  return {
    name,
    run: (signal) =>
      goRound(daemon, { name, everyMs: 10_000, signal }, async () => {
        const { clock } = daemon.context;
        if (clock.monotonicMs() < nextAtMs) return;
        if ((await forgetSome(daemon)) === 0) nextAtMs = clock.monotonicMs() + pauseMs;
      }),
  };
}

async function forgetSome({ context: { catalog, clock, keep, logger } }: Daemon): Promise<number> {
  const before = (ageMs: number) => new Date(clock.now().getTime() - ageMs);
  const jobs = await catalog.jobs.forget({ before: before(keep.jobsMs), most: keep.most });
  const events = await catalog.events.forget({ before: before(keep.eventsMs), most: keep.most });
  if (jobs + events > 0) logger.debug({ jobs, events }, 'old jobs and events were forgotten');
  return jobs + events;
}
