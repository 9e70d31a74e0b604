import { TidemarkError } from '../error.ts';
import { parseDuration } from '../units.ts';
import type { Drivers, PlanSettings, Resource } from './types.ts';

/**
 * What a plan means, units parsed and defaults filled in. `resources` are those that the plan lives among, desired or
 * applied. Throws NOT_APPLIED when its source is not among them, UNSUPPORTED when no driver here is of its kind.
 */
export function planSettings(plan: Resource, resources: ReadonlyMap<string, Resource>, drivers: Drivers): PlanSettings {
  const spec = plan.spec as unknown as PlanSpec;
  return {
    name: plan.name,
    source: spec.source,
    type: spec.type ?? defaultType(plan.address, spec.source, resources, drivers),
    paths: sourcePaths(resources.get(`sources.${spec.source}`), drivers),
    ...timetableSettings(spec),
    windowMs: spec.window === undefined ? undefined : parseDuration(spec.window),
    destinations: spec.destinations,
    retention: spec.retention,
    include: spec.include ?? [],
    exclude: spec.exclude ?? [],
    retry: { attempts: spec.retry?.attempts ?? 1, backoffMs: parseDuration(spec.retry?.backoff ?? '1m') },
    missed: spec.missed ?? 'run-once',
  };
}

/** The files and folders of this machine that a source is, as its settings name them; none of a source that is not there. */
export function sourcePaths(source: Resource | undefined, drivers: Drivers): readonly string[] {
  const driver = drivers.sources.find(({ kind }) => kind === source?.spec.driver);
  return (driver?.pathSettings ?? []).flatMap((setting) => (source?.spec[setting] ?? []) as string | string[]);
}

/** When a plan runs, from its spec alone: no driver is needed for it. */
export function timetableSettings(
  spec: Resource['spec'] | PlanSpec,
): Pick<PlanSettings, 'schedule' | 'timezone' | 'jitterMs'> {
  const { schedule, timezone = 'UTC', jitter = '0s' } = spec as PlanSpec;
  return { schedule, timezone, jitterMs: parseDuration(jitter) };
}

/** What the schema lets through. */
interface PlanSpec extends Partial<Pick<PlanSettings, 'type' | 'timezone' | 'include' | 'exclude' | 'missed'>> {
  readonly source: string;
  readonly destinations: readonly string[];
  readonly schedule?: string;
  readonly retention?: string;
  readonly window?: string;
  readonly jitter?: string;
  readonly retry?: { readonly attempts?: number; readonly backoff?: string };
}

function defaultType(
  subject: string,
  sourceName: string,
  resources: ReadonlyMap<string, Resource>,
  drivers: Drivers,
): PlanSettings['type'] {
  const source = resources.get(`sources.${sourceName}`);
  if (source === undefined) throw new TidemarkError('NOT_APPLIED', `there is no source \`${sourceName}\``, { subject });
  const driver = drivers.sources.find((one) => one.kind === source.spec.driver);
  const type = driver?.capabilities.backupTypes[0];
  if (type !== undefined) return type;
  throw new TidemarkError('UNSUPPORTED', `this version has no source driver \`${source.spec.driver}\``, { subject });
}
