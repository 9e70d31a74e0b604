import type { GroupUse, RepositoryStats } from '../../core/repository/index.ts';
import { formatBytes } from '../../core/units.ts';
import { brief, type Look, paint, printable } from './look.ts';
import { table } from './table.ts';
import { count, formatNumber } from './words.ts';

/** What fills a repository: plans, types, and then what it all comes to. */
export function statsText(destination: string, stats: RepositoryStats, look: Look): string {
  const lines = [
    backupsLine(stats),
    usedLine(stats),
    `${countBlobs('content', stats.contents)}, ${countBlobs('folder', stats.folders)}`,
    `${formatBytes(stats.packs.bytes)} in ${count(stats.packs.count, 'pack')}, ${count(stats.index.entries, 'entry', 'entries')} in ${count(stats.index.files, 'index file')}`,
    wasteLine(stats),
    ...(stats.setAside.objects === 0 ? [] : [setAsideLine(stats)]),
    `${statesText('lock', stats.locks)}, ${statesText('key', stats.keys)}`,
  ];
  const groups = stats.plans.length === 0 ? '' : `${groupTable('PLAN', stats.plans, look)}\n`;
  const types = stats.types.length < 2 ? '' : `${groupTable('TYPE', stats.types, look)}\n`;
  const told = lines.map((line) => `${destination}: ${line}\n`).join('');
  return `${groups}${types}${told}${unseenText(destination, stats, look)}`;
}

function groupTable(title: string, groups: readonly GroupUse[], look: Look): string {
  return table(
    groups,
    [
      { title, cell: nameOf },
      { title: 'BACKUPS', right: true, cell: ({ backups }) => formatNumber(backups) },
      {
        title: 'FILES',
        right: true,
        minor: true,
        cell: filesSize,
      },
      { title: 'STORED', right: true, cell: ({ storedBytes }) => formatBytes(storedBytes) },
      { title: 'UNIQUE', right: true, cell: ({ uniqueBytes }) => formatBytes(uniqueBytes) },
      { title: 'SHARED', right: true, cell: ({ sharedBytes }) => formatBytes(sharedBytes) },
      { title: 'COUNTED', cell: ({ isWhole }) => (isWhole ? undefined : paint(look, 'yellow', 'not all')) },
    ],
    look,
  );
}

function filesSize({ logicalBytes }: GroupUse): string | undefined {
  return logicalBytes === undefined ? undefined : formatBytes(logicalBytes);
}

function nameOf({ name, further }: GroupUse): string {
  const shown = name === undefined ? '(restic)' : printable(name);
  return further === undefined ? shown : `${shown} and ${count(further, 'more')}`;
}

function backupsLine({ backups, foreignBackups }: RepositoryStats): string {
  return foreignBackups === 0
    ? count(backups, 'backup')
    : `${count(backups, 'backup')}, ${foreignBackups} of them by other programs`;
}

function usedLine(stats: RepositoryStats): string {
  const { contents, folders, logicalBytes, deduplicationRatio, compressionRatio } = stats;
  const [plain, stored] = [contents.plainBytes + folders.plainBytes, contents.storedBytes + folders.storedBytes];
  const files = logicalBytes === undefined ? '' : `${formatBytes(logicalBytes)} of files, `;
  return `${files}${formatBytes(plain)} with each content once${timesText(deduplicationRatio)}, ${formatBytes(stored)} as stored${timesText(compressionRatio)}`;
}

/** ` (2.5x)`: how well it went. */
function timesText(ratio: number | undefined): string {
  return ratio === undefined ? '' : ` (${ratio.toFixed(1)}x)`;
}

function countBlobs(noun: string, { blobs, storedBytes }: RepositoryStats['contents']): string {
  return `${count(blobs, noun)} of ${formatBytes(storedBytes)}`;
}

function wasteLine({ waste }: RepositoryStats): string {
  if (waste === undefined) return 'what is waste is not known';
  const { bytes, wholePacks, markedBytes, unindexedBytes, isWritten } = waste;
  const parts = [
    `${formatBytes(wholePacks.bytes)} in ${count(wholePacks.count, 'pack')} that can go as they are`,
    ...(markedBytes === 0 ? [] : [`${formatBytes(markedBytes)} marked and waiting`]),
    ...(unindexedBytes === 0 ? [] : [`${formatBytes(unindexedBytes)} in no index`]),
    ...(isWritten ? ['what is being written now is counted, too'] : []),
  ];
  return bytes === 0 ? 'no waste' : `${formatBytes(bytes)} are needed by nothing: ${parts.join(', ')}`;
}

function setAsideLine({ setAside: { objects, bytes } }: RepositoryStats): string {
  return `${formatBytes(bytes)} in ${count(objects, 'damaged object')} that repairs moved to damaged/`;
}

/** `2 keys, 1 of them weak`. */
function statesText(noun: string, states: Readonly<Record<string, number>>): string {
  const all = Object.values(states).reduce((sum, one) => sum + one, 0);
  const odd = Object.entries(states).filter(([state, one]) => one > 0 && state !== 'held' && state !== 'good');
  return `${count(all, noun)}${odd.map(([state, one]) => ` (${one} ${state})`).join('')}`;
}

function unseenText(destination: string, { verdict, unseen, unseenCount }: RepositoryStats, look: Look): string {
  if (verdict === 'whole') return '';
  const more = unseenCount > unseen.length ? `and ${unseenCount - unseen.length} more\n` : '';
  const head = paint(look, 'yellow', 'not everything is counted');
  const lines = unseen.map((text) => `${head}: ${brief(text)}\n`).join('');
  return `${lines}${more}hint: \`tidemark repository check ${destination} --read-all\` says what is damaged and which backups it hurts.\n`;
}
