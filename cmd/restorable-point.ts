import type { BackupRecord, Catalog } from '../core/catalog/index.ts';
import { TidemarkError } from '../core/error.ts';
import { chooseBackup } from '../core/operation/index.ts';

/**
 * The backup that shows exactly this second of a source. No log is archived that would lead from a backup to the seconds
 * after it, so there is no other way there: throws BACKUP_NOT_FOUND with the nearest points before and after.
 */
export async function backupAt(catalog: Catalog, source: string, to: Date, now: Date): Promise<BackupRecord> {
  const second = secondOf(to);
  const before = await chooseBackup(catalog, { source, to: new Date(second * 1000 + 999) }, now);
  if (secondOf(before.consistentAt) === second) return before;
  const after = (await catalog.backups.list({ source, since: to })).at(-1);
  const nearest = [`before: ${pointText(before)}`, ...(after === undefined ? [] : [`after: ${pointText(after)}`])];
  throw new TidemarkError('BACKUP_NOT_FOUND', `no backup shows ${to.toISOString()}, and no archived log leads there`, {
    subject: `sources.${source}`,
    hint: `The nearest point ${nearest.join('; ')}.`,
  });
}

function pointText({ consistentAt, id }: BackupRecord): string {
  return `${consistentAt.toISOString()}, with \`--backup ${id}\``;
}

function secondOf(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
