import type { BackupRecord, Catalog } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';

export interface BackupChoice {
  readonly source?: string;
  /** An id, or an unambiguous part of one. */
  readonly backup?: string;
  /** The second that the restored data must show. */
  readonly to?: Date;
}

/**
 * The backup to restore: the one named, the one that shows the second asked for, or the newest. Throws BACKUP_NOT_FOUND
 * with the nearest that there is: never another state than the one asked for.
 */
export async function chooseBackup(
  catalog: Catalog,
  { source, backup, to }: BackupChoice,
  now: Date,
): Promise<BackupRecord> {
  if (backup !== undefined) return ofSource(await catalog.backups.get(backup), source);
  if (to !== undefined && to > now) {
    const hint = 'Name a time that has passed.';
    throw new TidemarkError('BACKUP_NOT_FOUND', `${to.toISOString()} is in the future`, { hint });
  }
  if (to !== undefined) return backupAt(catalog, source, to);
  const [newest] = await catalog.backups.list({ source, limit: 1 });
  return newest ?? Promise.reject(noBackup(source));
}

/** No log is archived that would lead from a backup to the seconds after it, so only a backup's own second can be had. */
async function backupAt(catalog: Catalog, source: string | undefined, to: Date): Promise<BackupRecord> {
  const second = secondOf(to);
  const [before] = await catalog.backups.list({ source, until: new Date(second * 1000 + 999), limit: 1 });
  if (before !== undefined && secondOf(before.consistentAt) === second) return before;
  const after = (await catalog.backups.list({ source, since: to })).at(-1);
  if (before === undefined && after === undefined) throw noBackup(source);
  const nearest = [
    ...(before === undefined ? [] : [`before: ${pointText(before)}`]),
    ...(after === undefined ? [] : [`after: ${pointText(after)}`]),
  ];
  throw new TidemarkError('BACKUP_NOT_FOUND', `no backup shows ${to.toISOString()}, and no archived log leads there`, {
    subject: `sources.${source}`,
    hint: `The nearest point ${nearest.join('; ')}.`,
  });
}

function ofSource(backup: BackupRecord, source: string | undefined): BackupRecord {
  if (source === undefined || backup.source === source) return backup;
  throw new TidemarkError(
    'BACKUP_NOT_FOUND',
    `backup ${backup.id} is one of \`${backup.source}\`, not of \`${source}\``,
    {
      hint: `List the backups of the source with \`tidemark backups ${source}\`.`,
    },
  );
}

function noBackup(source: string | undefined): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `there is no backup of \`${source}\` in the catalog`, {
    subject: `sources.${source}`,
    hint: 'Make one with `tidemark backup PLAN`, or read a destination’s with `tidemark catalog import DESTINATION`.',
  });
}

function pointText({ consistentAt, id }: BackupRecord): string {
  return `${consistentAt.toISOString()}, with \`--backup ${id}\``;
}

function secondOf(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
