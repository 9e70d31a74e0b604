import type { BackupRecord, Catalog } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';

export interface BackupChoice {
  readonly source?: string;
  /** An id, or an unambiguous part of one. */
  readonly backup?: string;
  readonly to?: Date;
}

/**
 * The backup to restore: the one named; or the newest that shows the source not after `to`; or the newest. Throws
 * BACKUP_NOT_FOUND, with the nearest that there is: never another backup than what was asked for.
 */
export async function chooseBackup(catalog: Catalog, choice: BackupChoice, now: Date): Promise<BackupRecord> {
  if (choice.backup !== undefined) return ofSource(await catalog.backups.get(choice.backup), choice.source);
  if (choice.to !== undefined && choice.to > now) {
    throw new TidemarkError('BACKUP_NOT_FOUND', `${choice.to.toISOString()} is in the future`, {
      hint: 'Name a time that has passed.',
    });
  }
  const [newest] = await catalog.backups.list({ source: choice.source, until: choice.to, limit: 1 });
  return newest ?? Promise.reject(await nothingFound(catalog, choice));
}

/** How far before the asked time the backup is, in words, when nothing covers the time between. */
export function distanceWarning(backup: BackupRecord, to: Date | undefined): string | undefined {
  const seconds = to === undefined ? 0 : Math.floor((to.getTime() - backup.consistentAt.getTime()) / 1000);
  if (seconds < 1) return undefined;
  return `restored to ${backup.consistentAt.toISOString()}, ${seconds} s before the asked time: no archived log covers the time between`;
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

async function nothingFound(catalog: Catalog, { source, to }: BackupChoice): Promise<TidemarkError> {
  const all = to === undefined ? [] : await catalog.backups.list({ source });
  const first = all.at(-1);
  const subject = `sources.${source}`;
  if (first === undefined) {
    const hint =
      'Make one with `tidemark backup PLAN`, or read a destination’s with `tidemark catalog import DESTINATION`.';
    return new TidemarkError('BACKUP_NOT_FOUND', `there is no backup of \`${source}\` in the catalog`, {
      subject,
      hint,
    });
  }
  return new TidemarkError('BACKUP_NOT_FOUND', `no backup of \`${source}\` is as old as ${to!.toISOString()}`, {
    subject,
    hint: `The oldest shows ${first.consistentAt.toISOString()}: \`--backup ${first.id}\`.`,
  });
}
