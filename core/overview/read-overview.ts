import { appliedPlans } from '../applied.ts';
import type { AppliedState, Catalog, Job, ProcessFate } from '../catalog/index.ts';
import type { Drivers, PlanSettings, PruneSettings } from '../config/index.ts';
import { TidemarkError } from '../error.ts';
import { type Label, labelFilter } from '../labels.ts';
import { newestBackups } from '../newest-backup.ts';
import { pruneOverdue, pruneUnfinished } from '../prune-age.ts';
import { repositoryDamage } from '../repository-damage.ts';
import { nextStart } from '../schedule/index.ts';
import { recentRestores, unfinishedRestore } from '../unfinished-restore.ts';
import { formatTime } from '../units.ts';
import type { DestinationOverview, Overview, PlanOverview, SourceOverview, SourceState } from './overview.ts';
import { generalProblems, planProblems, restoreProblems } from './problems.ts';

/** Where an overview is read, and what can be known of the processes that left their names there. */
export interface OverviewSources {
  readonly catalog: Catalog;
  readonly drivers: Drivers;
  /** The kinds of jobs that plans are for. */
  readonly planKinds: readonly string[];
  /** By which schedule space is freed. */
  readonly prune: PruneSettings;
  fate(owner: string): ProcessFate;
}

/**
 * With labels, of what has them: a source is there when it has them all, with all its plans, or with those of its plans
 * that have them. Throws NOT_APPLIED when no source is left: of nothing one cannot say that it is safe.
 */
export async function readOverview(
  { catalog, drivers, planKinds: kinds, prune, fate }: OverviewSources,
  now: Date,
  labels: readonly Label[] = [],
): Promise<Overview> {
  const state = await catalog.state.read();
  const matches = labelFilter(state, labels);
  const active = await catalog.jobs.list({ states: ['running', 'queued'], kinds, limit: 10_000 });
  const settings = appliedPlans(state, drivers).filter(({ name, source, destinations }) =>
    matches({ plan: name, source, destinations }),
  );
  const plans = await Promise.all(settings.map((one) => planOverview(catalog, one, kinds, active, now)));
  const sources = [...state.resources.values()]
    .filter(({ collection }) => collection === 'sources')
    .map(({ name, spec }) => ({ name, driver: String(spec.driver), own: plansOf(name, plans) }))
    .filter(({ name, own }) => own.length > 0 || matches({ source: name }));
  if (labels.length > 0 && sources.length === 0) throw nothingLabelled(labels);
  const daemons = await catalog.daemons.alive(fate);
  const restores = await recentRestores(catalog, now);
  const unfinished = (source: string) =>
    restoreProblems(unfinishedRestore(restores, source, state.resources, now, fate));
  const destinations = (await destinationOverviews(catalog, state)).filter(({ name }) =>
    matches({ destinations: [name] }),
  );
  return {
    serial: state.serial,
    daemons,
    sources: sources.map(({ name, driver, own }) => sourceOverview(name, driver, own, unfinished(name), now)),
    destinations,
    problems: [
      ...generalProblems(sources, plans, daemons),
      ...(await damagedRepositories(catalog, destinations)),
      ...(await unprunedDestinations(catalog, state, prune, destinations, now)),
    ],
  };
}

function plansOf(source: string, plans: readonly PlanOverview[]): readonly PlanOverview[] {
  return plans.filter(({ settings }) => settings.source === source);
}

function nothingLabelled(labels: readonly Label[]): TidemarkError {
  const texts = labels.map(({ key, value }) => `${key}=${value}`);
  return new TidemarkError('NOT_APPLIED', `no applied source has ${texts.join(' and ')}, itself or through a plan`, {
    hint: 'Give fewer labels.',
  });
}

async function planOverview(
  catalog: Catalog,
  settings: PlanSettings,
  kinds: readonly string[],
  active: readonly Job[],
  now: Date,
): Promise<PlanOverview> {
  const { name } = settings;
  const states = ['succeeded', 'partial', 'failed', 'missed'] as const;
  const [last] = await catalog.jobs.list({ plan: name, kinds, states, limit: 1 });
  const status = await catalog.plans.get(name);
  return {
    settings,
    status,
    ...(await newestBackups(catalog, settings)),
    nextRun: nextStart(settings, now, status.scheduledThrough),
    active:
      active.find((job) => job.plan === name && job.state === 'running') ?? active.find((job) => job.plan === name),
    lastError: last === undefined ? undefined : errorOf(last),
  };
}

function errorOf({ state, error, queuedAt }: Job): string | undefined {
  if (state === 'missed') return `the run of ${formatTime(queuedAt)} was missed`;
  return state === 'failed' && error !== undefined ? `${error.code}: ${error.message}` : undefined;
}

function sourceOverview(
  name: string,
  driver: string,
  plans: readonly PlanOverview[],
  unfinished: readonly string[],
  now: Date,
): SourceOverview {
  const newest = plans
    .map((plan) => plan.newest)
    .filter((backup) => backup !== undefined)
    .toSorted((a, b) => b.consistentAt.getTime() - a.consistentAt.getTime())[0];
  const unsafe = plans.length === 0 ? ['no plan backs it up'] : plans.flatMap((plan) => planProblems(plan, now));
  return { name, driver, state: stateOf(plans), newest, plans, problems: [...unfinished, ...unsafe] };
}

function stateOf(plans: readonly PlanOverview[]): SourceState {
  if (plans.length === 0) return 'no plan';
  if (plans.some(({ active }) => active?.state === 'running')) return 'running';
  if (plans.some(({ status }) => status.suspended !== undefined)) return 'suspended';
  if (plans.some(({ lastError }) => lastError !== undefined)) return 'failing';
  if (plans.some(({ active }) => active !== undefined)) return 'waiting';
  if (plans.every(({ status }) => status.pausedAt !== undefined)) return 'paused';
  return plans.some(({ nextRun }) => nextRun !== undefined) ? 'scheduled' : 'manual';
}

async function destinationOverviews(catalog: Catalog, state: AppliedState): Promise<DestinationOverview[]> {
  const totals = await catalog.backups.totals();
  return [...state.resources.values()]
    .filter(({ collection }) => collection === 'destinations')
    .map(({ name, spec }) => {
      const own = totals.filter(({ destination }) => destination === name);
      return {
        name,
        driver: String(spec.driver),
        copies: own.reduce((sum, { copies }) => sum + copies, 0),
        sizeBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      };
    });
}

async function damagedRepositories(
  catalog: Catalog,
  destinations: readonly Pick<DestinationOverview, 'name'>[],
): Promise<readonly string[]> {
  const found = destinations.map(async ({ name }) => {
    const damage = await repositoryDamage(catalog, `destinations.${name}`);
    return damage === undefined ? [] : [`the repository of ${name} is damaged: ${damage}`];
  });
  return (await Promise.all(found)).flat();
}

/** A destination without backups has nothing to free. What is overdue says why itself. */
async function unprunedDestinations(
  catalog: Catalog,
  state: AppliedState,
  prune: PruneSettings,
  destinations: readonly DestinationOverview[],
  now: Date,
): Promise<readonly string[]> {
  const texts = destinations.map(async ({ name, copies }) => {
    const overdue = copies === 0 ? undefined : await pruneOverdue(catalog, state, prune, name, now);
    return overdue ?? (await pruneUnfinished(catalog, name));
  });
  return (await Promise.all(texts)).filter((text) => text !== undefined);
}
