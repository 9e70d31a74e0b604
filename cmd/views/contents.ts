import type { Entry } from '../../core/operation/index.ts';
import { type Look, printable } from './look.ts';
import { table } from './table.ts';
import { formatNumber, formatTime } from './words.ts';

type Row = Readonly<Record<string, unknown>>;

/** What a manifest says is in the backup, whatever the driver says of it: a column for each plain field. */
export function contentsTable(contents: readonly Row[], look: Look): string {
  if (contents.length === 0) return '';
  const plain = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
  const fields = [...new Set(contents.flatMap((row) => Object.keys(row).filter((field) => plain(row[field]))))];
  const columns = fields.map((field) => ({
    title: field.replace(/([a-z])([A-Z])/g, '$1 $2').toUpperCase(),
    right: contents.every((row) => typeof row[field] !== 'string'),
    cell: (row: Row) => (plain(row[field]) ? printable(cellText(row[field])) : undefined),
  }));
  return table(contents, columns, look);
}

export function entriesTable(entries: readonly Entry[], look: Look): string {
  return table(
    entries,
    [
      { title: 'MODE', cell: ({ node }) => `${letters[node.type]}${modeText(node.mode)}` },
      { title: 'OWNER', cell: ({ node }) => printable(`${node.user || node.uid}:${node.group || node.gid}`) },
      { title: 'SIZE', right: true, cell: ({ node }) => node.content && formatNumber(node.content.sizeBytes) },
      { title: 'CHANGED', cell: ({ changedAt }) => formatTime(changedAt) },
      { title: 'PATH', cell: pathText },
    ],
    look,
  );
}

const letters = { file: '-', dir: 'd', symlink: 'l', dev: 'b', chardev: 'c', fifo: 'p', socket: 's' } as const;

function modeText(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : '-'));
  const special = [
    [0o4000, 2, 's', 'S'],
    [0o2000, 5, 's', 'S'],
    [0o1000, 8, 't', 'T'],
  ] as const;
  for (const [bit, at, both, alone] of special) if (mode & bit) bits[at] = bits[at] === 'x' ? both : alone;
  return bits.join('');
}

function pathText({ path, node }: Entry): string {
  const slash = node.type === 'dir' ? '/' : '';
  const target = node.linkTarget === undefined ? '' : ` -> ${printable(node.linkTarget)}`;
  return `${printable(path)}${slash}${target}`;
}

function cellText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : String(value);
}
