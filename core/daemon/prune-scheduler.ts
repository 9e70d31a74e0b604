import type { AppliedState, DestinationStatus, NewJob } from '../catalog/index.ts';
import { destinationJob, pruneJob } from '../job/index.ts';
import { pruneOverdue, pruneTimetable } from '../prune-age.ts';
import { type Decision, due } from '../schedule/index.ts';
import { firstReading } from './configuration.ts';
import type { Daemon } from './context.ts';
import { goRound, type Loop } from './loop.ts';

const name = 'prune';

/**
 * Turns the times of `daemon.prune` into a job for each destination, once, as the scheduler does for plans. A destination
 * that is new, and one whose timetable has changed, begins with the next time: nothing is deleted for times before that.
 */
export function pruneLoop(daemon: Daemon): Loop {
  return {
    name,
    run: async (signal) => {
      await firstReading(daemon, signal);
      await goRound(daemon, { name, everyMs: 5_000, signal }, () => schedulePrunes(daemon));
    },
  };
}

async function schedulePrunes(daemon: Daemon): Promise<void> {
  const { catalog, prune } = daemon.context;
  if (prune.schedule === undefined) return;
  const state = await catalog.state.read();
  const statuses = await catalog.destinations.list();
  for (const destination of destinationsOf(state)) {
    await scheduleOne(
      daemon,
      destination,
      statuses.find((one) => one.destination === destination),
    );
  }
}

function destinationsOf({ resources }: AppliedState): readonly string[] {
  return [...resources.values()].filter(({ collection }) => collection === 'destinations').map((one) => one.name);
}

async function scheduleOne(daemon: Daemon, destination: string, status: DestinationStatus | undefined): Promise<void> {
  const { catalog, clock, prune } = daemon.context;
  const timetable = `${prune.schedule} ${prune.timezone}`;
  const now = clock.now();
  if (status?.timetable !== timetable) {
    await catalog.destinations.schedule({ from: status, to: { destination, timetable, scheduledThrough: now } });
    return;
  }
  const active = await catalog.jobs.list({ kind: 'prune', destination, states: ['queued', 'running'], limit: 1 });
  const { scheduledThrough } = status;
  const scheduled = {
    settings: { ...pruneTimetable(prune, destination), missed: 'run-once' as const, windowMs: undefined },
    status: { scheduledThrough },
    since: scheduledThrough,
    active: active.length > 0,
  };
  const [decision] = due([scheduled], now);
  if (decision === undefined || decision.action === 'wait') return;
  await carryOut(daemon, destination, status, decision);
}

async function carryOut(
  daemon: Daemon,
  destination: string,
  from: DestinationStatus,
  decision: Exclude<Decision, { action: 'wait' }>,
): Promise<void> {
  const { catalog } = daemon.context;
  const to = { ...from, scheduledThrough: decision.to };
  const isAhead = decision.action === 'pass' && decision.isAhead;
  const event = isAhead
    ? daemon.jobs.emit.event('clock.ahead', `destinations.${destination}`, decision.reason)
    : undefined;
  const added = await catalog.destinations.schedule({ from, to, jobs: jobsOf(daemon, destination, decision), event });
  if (added === undefined) return;
  if (event !== undefined) daemon.jobs.emit.log(event);
  await tellOverdue(daemon, destination);
  daemon.bell.ring();
}

function jobsOf(
  { context: { prune } }: Daemon,
  destination: string,
  decision: Exclude<Decision, { action: 'wait' }>,
): readonly NewJob[] {
  const { graceMs, maxUnused } = prune;
  if (decision.action === 'run') {
    const request = { destination, plans: [], now: false, graceMs, maxUnused };
    return [pruneJob(request, decision.trigger, decision.scheduledFor)];
  }
  if (decision.action === 'pass') return [];
  const request = { destination, scheduledFor: decision.missed.first.toISOString() };
  return [destinationJob({ kind: name, destination, trigger: 'schedule', request, mode: 'write', state: 'missed' })];
}

/** With each time that comes: a destination that is not pruned fills, and a daemon that ends well each night hides it. */
async function tellOverdue({ context, jobs }: Daemon, destination: string): Promise<void> {
  const state = await context.catalog.state.read();
  const overdue = await pruneOverdue(context.catalog, state, context.prune, destination, context.clock.now());
  if (overdue !== undefined) await jobs.emit('prune.overdue', `destinations.${destination}`, overdue);
}
