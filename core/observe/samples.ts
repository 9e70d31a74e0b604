import { suspendedFor } from '../applied.ts';
import type { AppliedState, BackupRecord, Catalog, DaemonRecord, Job, PlanStatus } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { PlanSettings, PruneSettings } from '../config/index.ts';
import { newestBackups } from '../newest-backup.ts';
import { newestPrunes, pruneTimetable } from '../prune-age.ts';
import { expectedIntervalMs, nextStart } from '../schedule/index.ts';
import type { MetricName } from './metric-table.ts';

export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What metrics are computed from: the catalog, and what this daemon knows of the configuration files. */
export interface MetricSources {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly version: string;
  /** Every kind of job, and those that plans are for. */
  readonly kinds: { readonly all: readonly string[]; readonly ofPlans: readonly string[] };
  plans(state: AppliedState): readonly PlanSettings[];
  readonly prune: PruneSettings;
  configuration(): DaemonRecord['configuration'] & { readonly pendingChanges: number };
}

/** What was worked out of the schedules of plans, by plan, kept from one reading to the next: it changes seldom. */
export type Timetables = Map<string, Timetable>;

interface Timetable {
  readonly key: string;
  readonly next: Date | undefined;
  readonly intervalSeconds: number | undefined;
}

const configurationStates = ['applied', 'pending', 'invalid'] as const;

/** Reads all values afresh, so that they are right after a restart and whichever process ran a job. */
export async function readSamples(sources: MetricSources, timetables: Timetables): Promise<readonly Sample[]> {
  const { catalog } = sources;
  const state = await catalog.state.read();
  const statuses = await catalog.plans.list();
  const active = await catalog.jobs.list({ states: ['queued', 'running'], limit: 10_000 });
  const plans = sources.plans(state);
  return [
    ...generalSamples(sources, state),
    ...jobSamples(sources.kinds.all, active),
    ...upSamples(state, plans, statuses),
    ...(await pruneSamples(sources, state)),
    ...(
      await Promise.all(
        plans.map((plan) => {
          const through = statuses.find((status) => status.plan === plan.name)?.scheduledThrough;
          const timetable = timetableOf(timetables, plan, through, sources.clock.now());
          return planSamples(sources, state, { plan, timetable }, active);
        }),
      )
    ).flat(),
  ];
}

function generalSamples(sources: MetricSources, state: AppliedState): Sample[] {
  const configuration = sources.configuration();
  return [
    { name: 'tidemark_build_info', labels: { version: sources.version }, value: 1 },
    ...configurationStates.map((one): Sample => {
      return { name: 'tidemark_config_state', labels: { state: one }, value: Number(configuration.state === one) };
    }),
    { name: 'tidemark_config_read_timestamp_seconds', labels: {}, value: seconds(configuration.at) },
    { name: 'tidemark_pending_changes', labels: {}, value: configuration.pendingChanges },
    { name: 'tidemark_applied_serial', labels: {}, value: state.serial },
  ];
}

function jobSamples(kinds: readonly string[], active: readonly Job[]): Sample[] {
  return kinds.flatMap((kind) =>
    ['queued', 'running'].map((state): Sample => {
      const value = active.filter((job) => job.kind === kind && job.state === state).length;
      return { name: 'tidemark_jobs', labels: { kind, state }, value };
    }),
  );
}

function upSamples(state: AppliedState, plans: readonly PlanSettings[], statuses: readonly PlanStatus[]): Sample[] {
  const reasons = new Map(statuses.map(({ plan, suspended }) => [plan, suspended?.reason]));
  const down = plans.filter((plan) => reasons.get(plan.name) !== undefined);
  const isDown = (name: string, reason: 'source-down' | 'destination-down') =>
    down.some((plan) => reasons.get(plan.name) === reason && suspendedFor(plan, reason) === name);
  return [...state.resources.values()].flatMap(({ collection, name }): Sample[] => {
    if (collection === 'sources') {
      return [{ name: 'tidemark_source_up', labels: { source: name }, value: Number(!isDown(name, 'source-down')) }];
    }
    if (collection !== 'destinations') return [];
    const value = Number(!isDown(name, 'destination-down'));
    return [{ name: 'tidemark_destination_up', labels: { destination: name }, value }];
  });
}

async function pruneSamples({ catalog, clock, prune }: MetricSources, state: AppliedState): Promise<Sample[]> {
  const destinations = [...state.resources.values()].filter(({ collection }) => collection === 'destinations');
  const samples = destinations.map(async ({ name: destination, createdAt }): Promise<Sample[]> => {
    const { good, last } = await newestPrunes(catalog, destination);
    const intervalMs = expectedIntervalMs(pruneTimetable(prune, destination), clock.now());
    const values: Partial<Record<MetricName, number | undefined>> = {
      tidemark_destination_created_timestamp_seconds: seconds(createdAt),
      tidemark_prune_last_success_timestamp_seconds: seconds(good?.endedAt),
      tidemark_prune_expected_interval_seconds: intervalMs === undefined ? undefined : intervalMs / 1000,
      tidemark_prune_last_freed_bytes: last?.result?.netBytes as number | undefined,
    };
    return samplesOf(values, { destination });
  });
  return (await Promise.all(samples)).flat();
}

function samplesOf(
  values: Partial<Record<MetricName, number | undefined>>,
  labels: Readonly<Record<string, string>>,
): Sample[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: name as MetricName, labels, value }],
  );
}

async function planSamples(
  { catalog, kinds: { ofPlans: kinds } }: MetricSources,
  state: AppliedState,
  { plan, timetable }: { plan: PlanSettings; timetable: Timetable },
  active: readonly Job[],
): Promise<Sample[]> {
  const status = await catalog.plans.get(plan.name);
  const { newest, newestWhole } = await newestBackups(catalog, plan);
  const jobs = await catalog.jobs.list({ plan: plan.name, kinds, limit: 100 });
  const running = active.some((job) => job.plan === plan.name && kinds.includes(job.kind) && job.state === 'running');
  const values: Partial<Record<MetricName, number | undefined>> = {
    tidemark_plan_created_timestamp_seconds: seconds(state.resources.get(`plans.${plan.name}`)?.createdAt),
    tidemark_plan_last_success_timestamp_seconds: seconds(newestWhole?.endedAt),
    tidemark_plan_expected_interval_seconds: timetable.intervalSeconds,
    tidemark_plan_next_run_timestamp_seconds: seconds(timetable.next),
    ...backupValues(newest),
    tidemark_plan_consecutive_failures: consecutiveFailures(jobs),
    tidemark_plan_running: Number(running),
    tidemark_plan_paused: Number(status.pausedAt !== undefined),
    tidemark_plan_suspended: Number(status.suspended !== undefined),
  };
  return samplesOf(values, { plan: plan.name, source: plan.source });
}

function timetableOf(timetables: Timetables, plan: PlanSettings, through: Date | undefined, now: Date): Timetable {
  const key = JSON.stringify([plan.schedule, plan.timezone, plan.jitterMs, through]);
  const known = timetables.get(plan.name);
  if (known?.key === key && (known.next === undefined || known.next > now)) return known;
  const intervalMs = expectedIntervalMs(plan, now);
  const intervalSeconds = intervalMs === undefined ? undefined : intervalMs / 1000;
  const timetable = { key, next: nextStart(plan, now, through), intervalSeconds };
  timetables.set(plan.name, timetable);
  return timetable;
}

function backupValues(newest: BackupRecord | undefined): Partial<Record<MetricName, number | undefined>> {
  if (newest === undefined) return {};
  return {
    tidemark_plan_last_duration_seconds: (newest.endedAt.getTime() - newest.startedAt.getTime()) / 1000,
    tidemark_plan_last_read_bytes: newest.sizeBytes,
    tidemark_plan_last_added_bytes: newest.addedBytes,
  };
}

/** `jobs` are newest first; those that have not ended and those that a person cancelled say nothing. */
function consecutiveFailures(jobs: readonly Job[]): number {
  const ended = jobs.filter(({ state }) => ['succeeded', 'partial', 'failed', 'missed'].includes(state));
  const good = ended.findIndex(({ state }) => state === 'succeeded' || state === 'partial');
  return good === -1 ? ended.length : good;
}

function seconds(time: Date): number;
function seconds(time: Date | undefined): number | undefined;
function seconds(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : time.getTime() / 1000;
}
