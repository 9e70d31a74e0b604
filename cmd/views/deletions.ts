import type { BackupRecord } from '../../core/catalog/index.ts';
import type { Deletion, PlannedDeletion } from '../../core/operation/index.ts';
import { formatBytes } from '../../core/units.ts';
import { brief, type Look, paint } from './look.ts';
import { type Column, table } from './table.ts';
import { formatTime } from './words.ts';

/** What a person is asked about. */
export function plannedDeletionsTable(planned: readonly PlannedDeletion[], look: Look): string {
  return table(
    planned,
    [
      ...copyColumns,
      {
        title: 'WHAT',
        cell: ({ obstacle }) =>
          obstacle === undefined ? paint(look, 'red', 'is deleted') : `stays: ${brief(obstacle)}`,
      },
    ],
    look,
  );
}

/** What became of it. */
export function deletionsTable(deletions: readonly Deletion<BackupRecord>[], look: Look): string {
  return table(
    deletions,
    [
      ...copyColumns,
      {
        title: 'STATE',
        cell: ({ deleted, why }) => [deleted ? 'deleted' : 'not deleted', ...(why ? [brief(why)] : [])].join(': '),
      },
    ],
    look,
  );
}

const copyColumns: readonly Column<{ readonly backup: BackupRecord }>[] = [
  { title: 'ID', cell: ({ backup }) => backup.id },
  { title: 'SOURCE', minor: true, cell: ({ backup }) => backup.source },
  { title: 'PLAN', cell: ({ backup }) => backup.plan },
  { title: 'SHOWS', cell: ({ backup }) => formatTime(backup.consistentAt) },
  { title: 'SIZE', minor: true, right: true, cell: ({ backup }) => formatBytes(backup.sizeBytes) },
  { title: 'IN', cell: ({ backup }) => backup.destination },
];
