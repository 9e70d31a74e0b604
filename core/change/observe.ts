import type { BackupTotals, Catalog, PlanStatus } from '../catalog/index.ts';

/** What the catalog knows and the files do not: what a change would touch. */
export interface Observed {
  readonly backups: readonly BackupTotals[];
  readonly plans: readonly PlanStatus[];
}

export async function observe(catalog: Pick<Catalog, 'backups' | 'plans'>): Promise<Observed> {
  return { backups: await catalog.backups.totals(), plans: await catalog.plans.list() };
}
