import type { BackupRecord, Catalog } from './catalog/index.ts';
import type { PlanSettings } from './config/index.ts';

/** What of a plan there is to restore. */
export interface NewestBackups {
  readonly newest?: BackupRecord;
  /** The newest that lacks nothing. */
  readonly newestWhole?: BackupRecord;
}

/**
 * The newest backups that protect what the plan protects today: of its source, in its destination. What it stored before
 * one of these was changed keeps nobody safe.
 */
export async function newestBackups(
  { backups }: Pick<Catalog, 'backups'>,
  { name, source, destinations }: Pick<PlanSettings, 'name' | 'source' | 'destinations'>,
): Promise<NewestBackups> {
  const ofPlan = { plan: name, source, destination: destinations[0], expiring: false, limit: 1 };
  const [newest] = await backups.list(ofPlan);
  const [newestWhole] = newest?.partial ? await backups.list({ ...ofPlan, partial: false }) : [newest];
  return { newest, newestWhole };
}
