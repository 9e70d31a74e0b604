import type { BackupRecord, BackupWithManifest, Pin } from '../../core/catalog/index.ts';
import { formatBytes, formatDuration } from '../../core/units.ts';
import { type Look, paint, printable } from './look.ts';
import { table } from './table.ts';
import { count, formatAge, formatNumber, formatTime } from './words.ts';

export function backupsTable(backups: readonly BackupRecord[], look: Look): string {
  return table(
    backups,
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'SOURCE', cell: ({ source }) => source },
      { title: 'PLAN', cell: ({ plan }) => plan },
      { title: 'TYPE', minor: true, cell: ({ type }) => type },
      { title: 'SHOWS', cell: ({ consistentAt }) => formatTime(consistentAt) },
      { title: 'AGE', minor: true, right: true, cell: ({ consistentAt }) => formatAge(consistentAt, look.now) },
      { title: 'SIZE', right: true, cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
      {
        title: 'ADDED',
        minor: true,
        right: true,
        cell: ({ addedBytes }) => (addedBytes === undefined ? '' : formatBytes(addedBytes)),
      },
      { title: 'ITEMS', minor: true, right: true, cell: ({ items }) => formatNumber(items) },
      { title: 'IN', cell: ({ destination }) => destination },
      { title: 'STATE', cell: (backup) => stateText(backup, look) },
    ],
    look,
  );
}

/** One backup, a line per fact, its warnings last. */
export function backupText(backup: BackupWithManifest, look: Look): string {
  const { manifest, startedAt, endedAt, addedBytes } = backup;
  const facts: [string, string][] = [
    ['backup', backup.id],
    ['shows', `${formatTime(backup.consistentAt)} (${formatAge(backup.consistentAt, look.now)})`],
    ['source', `${backup.source}: ${manifest.flavour} ${manifest.version}`],
    ['plan', `${backup.plan} (${backup.type})`],
    ['where', `${backup.destination}, snapshot ${backup.snapshot.slice(0, 8)}`],
    ['size', `${formatBytes(backup.sizeBytes)} in ${count(backup.items, 'item')}`],
    ...(addedBytes === undefined ? [] : [['added', formatBytes(addedBytes)] satisfies [string, string]]),
    ['made', `${formatTime(startedAt)}, took ${formatDuration(endedAt.getTime() - startedAt.getTime())}`],
    ...(backup.pin === undefined ? [] : [['pinned', pinText(backup.pin)] satisfies [string, string]]),
    ...(backup.partial || backup.expiringAt !== undefined
      ? [['state', stateText(backup, look)] satisfies [string, string]]
      : []),
  ];
  const warnings = backup.warnings.map((warning) => `  ${paint(look, 'yellow', 'warning')}: ${printable(warning)}\n`);
  return facts.map(([name, value]) => `${name.padEnd(8)}${value}\n`).join('') + warnings.join('');
}

function pinText({ at, by, reason }: Pin): string {
  return `${formatTime(at)} on ${by}${reason === undefined ? '' : `: ${printable(reason)}`}`;
}

function stateText({ partial, warnings, expiringAt, pin }: BackupRecord, look: Look): string {
  if (expiringAt !== undefined) return paint(look, 'dim', 'being deleted');
  const states = [
    ...(pin === undefined ? [] : ['pinned']),
    ...(partial ? [paint(look, 'yellow', 'partial')] : []),
    ...(!partial && warnings.length > 0 ? [count(warnings.length, 'warning')] : []),
  ];
  return states.join(', ');
}
