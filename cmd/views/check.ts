import type { CheckJobResult } from '../../core/job/index.ts';
import type { Finding, HurtBackup } from '../../core/repository/index.ts';
import { formatBytes } from '../../core/units.ts';
import { brief, type Look, paint, printable } from './look.ts';
import { table } from './table.ts';
import { count } from './words.ts';

/** The findings, each with what it costs and what to do, and what it all comes to. */
export function checkText(result: CheckJobResult, look: Look): string {
  const { findings, counts } = result;
  const left = counts.damage + counts.unread + counts.note - findings.length;
  const more = left > 0 ? `and ${count(left, 'more finding')}\n\n` : '';
  return `${findings.map((one) => `${findingText(one, look)}\n`).join('')}${more}${verdictText(result, look)}${readText(result)}`;
}

const colours = { damage: 'red', unread: 'yellow', note: 'cyan' } as const;

function findingText({ kind, severity, object, text, hurts, hint }: Finding, look: Look): string {
  const head = `${paint(look, colours[severity], severity)} ${kind} ${printable(object)}: ${printable(text)}\n`;
  return `${head}${hurts.length === 0 ? '' : hurtTable(hurts, look)}hint: ${printable(hint)}\n`;
}

const mostBackups = 20;
const mostPaths = 3;

function hurtTable(hurts: readonly HurtBackup[], look: Look): string {
  const shown = hurts.slice(0, mostBackups);
  const more = hurts.length > shown.length ? `  and ${count(hurts.length - shown.length, 'more backup')}\n` : '';
  const text = table(
    shown,
    [
      { title: 'BACKUP', cell: ({ backup, snapshot }) => printable(backup ?? snapshot.slice(0, 8)) },
      { title: 'PLAN', cell: ({ plan }) => printable(plan ?? '(restic)') },
      { title: 'OF', minor: true, cell: ({ time }) => printable(time) },
      { title: 'LOSES', cell: losesText },
    ],
    look,
  );
  return text.replaceAll(/^/gm, '  ').replace(/ +$/, '') + more;
}

function losesText({ paths, count: total }: HurtBackup): string {
  if (paths.length === 0) return 'all of it';
  const shown = paths.slice(0, mostPaths).map(brief).join(', ');
  return total > mostPaths ? `${shown}, and ${total - mostPaths} more` : shown;
}

function verdictText(
  { verdict, destination, backups, hurtBackups, counts, ...seen }: CheckJobResult,
  look: Look,
): string {
  const { packs, storedBytes, trees } = seen;
  const of = `${count(backups, 'backup')}, ${count(trees, 'folder')}, ${count(packs, 'pack')} of ${formatBytes(storedBytes)}`;
  const whole = `${backups - hurtBackups} of ${count(backups, 'backup')} whole as far as was looked`;
  if (verdict === 'good') return `${paint(look, 'green', `${destination} is good`)}: ${of}\n`;
  if (verdict === 'damaged')
    return `${paint(look, 'red', `${destination} is damaged`)}: ${count(counts.damage, 'finding')}, ${whole}\n`;
  return `${paint(look, 'yellow', `${destination} was not checked whole`)}: ${count(counts.unread, 'thing')} could not be read, ${whole}\n`;
}

function readText({ read, readWholeAt, storedBytes }: CheckJobResult): string {
  const told =
    read.packs === 0
      ? 'no data was read; `--read 5%` reads the next part of it, `--read-all` all\n'
      : `${formatBytes(read.bytes)} of ${formatBytes(storedBytes)} of data were read\n`;
  return readWholeAt === undefined ? told : `${told}all data was read last by ${readWholeAt}\n`;
}
