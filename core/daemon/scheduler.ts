import type { AppliedState, Job, NewEvent, NewJob } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import { hasCode } from '../error.ts';
import { backupJob, missedJob, planKinds, requestTime } from '../job/index.ts';
import { type Decision, due, isAhead, type MissedTimes, nextStart, type ScheduledPlan } from '../schedule/index.ts';
import { firstReading } from './configuration.ts';
import type { Daemon } from './context.ts';
import { goRound, type Loop } from './loop.ts';
import { findOutage, suspendPlans } from './suspension.ts';

/**
 * Turns times into jobs. Each time is scheduled by a compare-and-set on the plan's `scheduledThrough`, so that several
 * daemons, and one that died in between, make exactly one job of it.
 */
export function schedulerLoop(daemon: Daemon): Loop {
  const memory: Memory = { inHand: new Map(), nextTimes: new Map(), failures: [] };
  return {
    name: 'scheduler',
    run: async (signal) => {
      await firstReading(daemon, signal);
      await goRound(daemon, { name: 'scheduler', everyMs: 1_000, signal }, () => scheduleDue(daemon, memory, signal));
      await Promise.all(memory.inHand.values());
    },
  };
}

interface Memory {
  /** Decisions that are being carried out. */
  readonly inHand: Map<string, Promise<void>>;
  /** When a plan is due next, so that a round without anything due costs nothing; `key` tells whether it still holds. */
  readonly nextTimes: Map<string, { readonly key: string; readonly at: Date | undefined }>;
  readonly failures: unknown[];
}

/** Probes of one plan may take long and hold up no other: the work on each plan goes on beside the rounds. */
async function scheduleDue(daemon: Daemon, memory: Memory, signal: AbortSignal): Promise<void> {
  if (memory.failures.length > 0) throw memory.failures[0];
  const { catalog, clock, kinds } = daemon.context;
  const state = await catalog.state.read();
  const active = await catalog.jobs.list({ states: ['queued', 'running'], kinds: planKinds(kinds), limit: 10_000 });
  await expireQueued(daemon, active);
  const now = clock.now();
  const plans = (await scheduledPlans(daemon, state, active)).filter((plan) => isDue(plan, memory, now));
  for (const decision of due(plans, now)) {
    const { settings } = plans.find((plan) => plan.settings.name === decision.plan)!;
    const work = carryOut(daemon, settings, decision, signal)
      .catch((thrown: unknown) => void memory.failures.push(thrown))
      .finally(() => memory.inHand.delete(decision.plan));
    memory.inHand.set(decision.plan, work);
  }
}

function isDue({ settings, status, since }: ScheduledPlan, { inHand, nextTimes: known }: Memory, now: Date): boolean {
  if (inHand.has(settings.name)) return false;
  const base = status.scheduledThrough ?? since;
  if (isAhead(base, now)) return true;
  const key = JSON.stringify([settings.schedule, settings.timezone, settings.jitterMs, base]);
  const next = known.get(settings.name);
  if (next?.key === key) return next.at !== undefined && next.at <= now;
  const at = nextStart(settings, base, base);
  known.set(settings.name, { key, at });
  return at !== undefined && at <= now;
}

async function scheduledPlans(
  { context }: Daemon,
  state: AppliedState,
  active: readonly Job[],
): Promise<ScheduledPlan<PlanSettings>[]> {
  const statuses = new Map((await context.catalog.plans.list()).map((status) => [status.plan, status]));
  const busy = new Set(active.map((job) => job.plan));
  return context.plans(state).map((settings) => ({
    settings,
    status: statuses.get(settings.name) ?? { plan: settings.name },
    since: state.resources.get(`plans.${settings.name}`)?.updatedAt ?? context.clock.now(),
    active: busy.has(settings.name),
  }));
}

/** A busy catalog leaves the decision undone; the next round makes it again. */
async function carryOut(daemon: Daemon, plan: PlanSettings, decision: Decision, signal: AbortSignal): Promise<void> {
  try {
    if (decision.action === 'run') await startRun(daemon, plan, decision, signal);
    else if (decision.action === 'missed') await recordMissed(daemon, plan, decision);
    else if (decision.action === 'pass') await letPass(daemon, decision);
  } catch (thrown) {
    if (!hasCode(thrown, 'CATALOG_BUSY')) throw thrown;
    daemon.context.logger.warn({ err: thrown, plan: plan.name }, 'the catalog is busy');
  }
}

async function letPass({ context, jobs }: Daemon, decision: Decision & { action: 'pass' }): Promise<void> {
  const { plan, from, to, isAhead, reason } = decision;
  const event = isAhead ? jobs.emit.event('clock.ahead', `plans.${plan}`, reason) : undefined;
  const done = await context.catalog.plans.schedule({ plan, from, to, jobs: [], event });
  if (done !== undefined && event !== undefined) jobs.emit.log(event);
}

async function startRun(
  daemon: Daemon,
  plan: PlanSettings,
  decision: Decision & { action: 'run' },
  signal: AbortSignal,
): Promise<void> {
  const outage = await findOutage(daemon, plan, signal);
  if (signal.aborted) return;
  if (outage !== undefined) return suspendPlans(daemon, outage);
  const current = await stillToRun(daemon, plan.name);
  if (current === undefined) return;
  const { missed, from, to, trigger } = decision;
  const jobs: NewJob[] = missed === undefined ? [] : [missedJob(current, missed)];
  jobs.push(await backupJob(current, trigger, decision));
  const event = missed === undefined ? undefined : missedEvent(daemon, plan.name, missed, decision.reason);
  const added = await daemon.context.catalog.plans.schedule({ plan: plan.name, from, to, jobs, event });
  if (added === undefined) return;
  daemon.bell.ring();
  if (event !== undefined) daemon.jobs.emit.log(event);
}

/**
 * The plan as it is now: a probe may take long, and meanwhile a person may have changed the plan, paused it or taken it away.
 * Undefined when its run is to be decided again, if there is any.
 */
async function stillToRun({ context }: Daemon, name: string): Promise<PlanSettings | undefined> {
  const { pausedAt, suspended } = await context.catalog.plans.get(name);
  if (pausedAt !== undefined || suspended !== undefined) return undefined;
  return context.plans(await context.catalog.state.read()).find((plan) => plan.name === name);
}

async function recordMissed(daemon: Daemon, plan: PlanSettings, decision: Decision & { action: 'missed' }) {
  const { from, to, missed, reason } = decision;
  const jobs = [missedJob(plan, missed)];
  const event = missedEvent(daemon, plan.name, missed, reason);
  const added = await daemon.context.catalog.plans.schedule({ plan: plan.name, from, to, jobs, event });
  if (added !== undefined) daemon.jobs.emit.log(event);
}

function missedEvent({ jobs }: Daemon, plan: string, { first, last }: MissedTimes, reason: string): NewEvent {
  const times = first.getTime() === last.getTime() ? `run of ${iso(first)}` : `runs from ${iso(first)} to ${iso(last)}`;
  return jobs.emit.event('job.missed', `plans.${plan}`, `${times} missed: ${reason}`);
}

/** Queued runs whose window passes while they wait for others. */
async function expireQueued({ context, jobs }: Daemon, active: readonly Job[]): Promise<void> {
  const now = context.clock.now();
  for (const job of active) {
    const startBy = requestTime(job, 'startBy');
    if (job.state !== 'queued' || job.startedAt !== undefined || startBy === undefined || startBy >= now) continue;
    const scheduledFor = requestTime(job, 'scheduledFor') ?? job.queuedAt;
    const text = `run of ${iso(scheduledFor)} missed: it waited in the queue until its window had passed`;
    const settlement = ({ plan }: Job) => ({ event: jobs.emit.event('job.missed', `plans.${plan}`, text) });
    try {
      const missed = await context.catalog.jobs.transition(job, 'missed', {}, { settlement });
      jobs.emit.log(settlement(missed).event);
    } catch (thrown) {
      if (!hasCode(thrown, 'JOB_CONFLICT')) throw thrown;
    }
  }
}

function iso(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}
