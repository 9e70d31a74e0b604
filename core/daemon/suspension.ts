import { suspendedFor } from '../applied.ts';
import type { Job, PlanStatus } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { withinLimit } from '../within-limit.ts';
import type { Daemon } from './context.ts';
import { goRound, type Loop } from './loop.ts';
import { probeKey } from './probe-key.ts';

/** A source or destination that does not answer. */
export interface Outage {
  readonly reason: 'source-down' | 'destination-down';
  readonly name: string;
  readonly text: string;
}

const probeTimeoutMs = 30_000;
const firstProbeMs = 10_000;
const longestProbeMs = 300_000;

/** Looks whether what a plan needs is there. Undefined when it answers, whatever it says: a run tells the rest. */
export async function findOutage(daemon: Daemon, plan: PlanSettings, signal: AbortSignal): Promise<Outage | undefined> {
  const destination = plan.destinations[0];
  return (
    (await probe(daemon, 'source-down', plan.source, signal)) ??
    (destination === undefined ? undefined : await probe(daemon, 'destination-down', destination, signal))
  );
}

/** What the error of a backup says about its source or destination. */
export function outageOf({ error, source, destination }: Job): Outage | undefined {
  const [collection, ...name] = error?.subject?.split('.') ?? [];
  const named = (wanted: string) => (collection === wanted ? name.join('.') : undefined);
  if (error?.code === 'SOURCE_UNREACHABLE') {
    return { reason: 'source-down', name: named('sources') ?? source, text: error.message };
  }
  if (error?.code !== 'DESTINATION_UNREACHABLE') return undefined;
  const down = named('destinations') ?? destination;
  return down === undefined ? undefined : { reason: 'destination-down', name: down, text: error.message };
}

/** Holds back the scheduled runs of all plans that need it. Manual plans stay as they are. */
export async function suspendPlans({ context, jobs }: Daemon, outage: Outage): Promise<void> {
  const { catalog, clock } = context;
  for (const plan of context.plans(await catalog.state.read())) {
    if (plan.schedule === undefined || suspendedFor(plan, outage.reason) !== outage.name) continue;
    const before = await catalog.plans.get(plan.name);
    if (before.suspended !== undefined) continue;
    const { reason, text } = outage;
    const suspended = { reason, since: clock.now(), text };
    const told = `${nounOf(reason)} ${outage.name} is down: ${text}`;
    const event = jobs.emit.event('plan.suspended', `plans.${plan.name}`, told);
    if ((await catalog.plans.updateFrom(before, { suspended }, event)) !== undefined) jobs.emit.log(event);
  }
}

/** Probes what is down, less and less often, and lets the plans run again as soon as it answers. */
export function suspensionLoop(daemon: Daemon): Loop {
  const waits = new Map<string, ProbeWait>();
  return {
    name: 'suspension',
    run: (signal) =>
      goRound(daemon, { name: 'suspension', everyMs: 2_000, signal }, () => probeOutages(daemon, waits, signal)),
  };
}

interface ProbeWait {
  nextAtMs: number;
  delayMs: number;
}

async function probeOutages(daemon: Daemon, waits: Map<string, ProbeWait>, signal: AbortSignal): Promise<void> {
  const { catalog } = daemon.context;
  const suspended = (await catalog.plans.list()).filter((status) => status.suspended !== undefined);
  if (suspended.length === 0) return waits.clear();
  const plans = new Map(daemon.context.plans(await catalog.state.read()).map((plan) => [plan.name, plan]));
  const groups = Map.groupBy(suspended, (status) => outageKey(plans.get(status.plan), status));
  for (const key of waits.keys()) if (!groups.has(key)) waits.delete(key);
  await Promise.all(
    [...groups].map(async ([key, statuses]) => {
      if (key === unscheduled) return release(daemon, statuses, 'it has no schedule any more', false);
      if (!isTime(daemon, waits, key)) return;
      const [reason, name] = key.split(' ') as [Outage['reason'], string];
      if ((await probe(daemon, reason, name, signal)) !== undefined || signal.aborted) return;
      await release(daemon, statuses, `${nounOf(reason)} ${name} answers again`, true);
    }),
  );
}

const unscheduled = '';

function outageKey(plan: PlanSettings | undefined, { suspended }: PlanStatus): string {
  if (plan?.schedule === undefined || suspended === undefined) return unscheduled;
  const target = suspendedFor(plan, suspended.reason);
  return target === undefined ? unscheduled : `${suspended.reason} ${target}`;
}

function isTime({ context }: Daemon, waits: Map<string, ProbeWait>, key: string): boolean {
  const nowMs = context.clock.monotonicMs();
  const wait = waits.get(key) ?? { nextAtMs: nowMs + firstProbeMs, delayMs: firstProbeMs };
  waits.set(key, wait);
  if (nowMs < wait.nextAtMs) return false;
  wait.delayMs = Math.min(longestProbeMs, wait.delayMs * 2);
  wait.nextAtMs = nowMs + wait.delayMs;
  return true;
}

async function release(
  { context, jobs, bell }: Daemon,
  statuses: readonly PlanStatus[],
  text: string,
  told: boolean,
): Promise<void> {
  for (const status of statuses) {
    const event = told ? jobs.emit.event('plan.resumed', `plans.${status.plan}`, text) : undefined;
    const released = await context.catalog.plans.updateFrom(status, { suspended: null }, event);
    if (released !== undefined && event !== undefined) jobs.emit.log(event);
  }
  bell.ring();
}

/** The limit is ours: no driver is trusted to keep to its own. One that was given up may still be under way. */
async function probe(
  { context, turns }: Daemon,
  reason: Outage['reason'],
  name: string,
  signal: AbortSignal,
): Promise<Outage | undefined> {
  const code = reason === 'source-down' ? 'SOURCE_UNREACHABLE' : 'DESTINATION_UNREACHABLE';
  const call = reason === 'source-down' ? context.probeSource : context.probeDestination;
  const late = new TidemarkError(code, `no answer within ${probeTimeoutMs / 1000} s`);
  const limit = { clock: context.clock, limitMs: probeTimeoutMs, late, signal };
  const { resources } = await context.catalog.state.read();
  const address = `${nounOf(reason)}s.${name}`;
  const key = probeKey({ address, spec: resources.get(address)?.spec });
  try {
    await withinLimit(limit, (limited) => turns(key, limited, () => call(name, limited)));
    return undefined;
  } catch (thrown) {
    if (signal.aborted) return undefined;
    return hasCode(thrown, code) ? { reason, name, text: thrown.message } : undefined;
  }
}

function nounOf(reason: Outage['reason']): string {
  return reason === 'source-down' ? 'source' : 'destination';
}
