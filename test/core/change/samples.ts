import type { AppliedState, BackupTotals, Catalog } from '../../../core/catalog/index.ts';
import { type ChangeSet, diff, type Observed, observe } from '../../../core/change/index.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Configuration } from '../../../core/config/index.ts';
import { resource } from '../../contracts/catalog-samples.ts';

/** Specs by address. */
export type Specs = Readonly<Record<string, Record<string, unknown>>>;

export const now = new Date('2026-03-01T12:00:00Z');

export const shop: Specs = {
  'sources.shop': { driver: 'mysql', host: 'db1', user: 'tidemark', password: '${file:/run/secrets/shop}' },
  'destinations.nas': { driver: 'local', path: '/mnt/nas', password: '${env:NAS}' },
  'retention.standard': { last: 3, daily: 7, within: '14d' },
  'plans.nightly': {
    source: 'shop',
    schedule: '0 0 * * *',
    timezone: 'Asia/Shanghai',
    destinations: ['nas'],
    retention: 'standard',
  },
};

/** The same configuration with some resources changed, or left out where `undefined`. */
export function edit(specs: Specs, changes: Readonly<Record<string, Record<string, unknown> | undefined>>): Specs {
  const entries = Object.entries({ ...specs, ...changes }).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(entries) as Specs;
}

export function configuration(specs: Specs): Pick<Configuration, 'resources' | 'position'> {
  const resources = Object.entries(specs).map(([address, spec]) => [address, resource(address, spec)] as const);
  const lines = new Map(Object.keys(specs).map((address, at) => [address, at + 1]));
  return {
    resources: new Map(resources),
    position: (address) => {
      const line = lines.get(address);
      return line === undefined ? undefined : { file: '/etc/tidemark.yaml', line, column: 1 };
    },
  };
}

export function appliedState(specs: Specs): AppliedState {
  const times = { createdAt: now, updatedAt: now };
  const resources = Object.entries(specs).map(
    ([address, spec]) => [address, { ...resource(address, spec), ...times }] as const,
  );
  return { lineage: 'lineage', serial: 4, resources: new Map(resources) };
}

export function observed(
  backups: readonly Partial<BackupTotals>[] = [],
  plans: Observed['plans'] = [],
  copies: Observed['copies'] = [],
): Observed {
  const totals = { plan: 'nightly', source: 'shop', destination: 'nas', copies: 12, sizeBytes: 3 * 2 ** 30 };
  return { backups: backups.map((some) => ({ ...totals, oldestAt: now, newestAt: now, ...some })), plans, copies };
}

export const twelve = observed([{}]);

export function change(before: Specs, after: Specs, known = observed()): ChangeSet {
  return diff({ desired: configuration(after), applied: appliedState(before), observed: known, now });
}

/** As `tidemark plan` makes it. */
export async function changeSetNow(catalog: Catalog, specs: Specs, clock: Clock): Promise<ChangeSet> {
  const desired = configuration(specs);
  const applied = await catalog.state.read();
  const observed = await observe(catalog, { desired: desired.resources, applied: applied.resources });
  return diff({ desired, applied, observed, now: clock.now() });
}
