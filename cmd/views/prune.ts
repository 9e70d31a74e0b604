import { freedText } from '../../core/freed-space.ts';
import type { PruneJobResult } from '../../core/job/index.ts';
import type { CopyDecision, PrunePreview } from '../../core/operation/index.ts';
import { formatBytes } from '../../core/units.ts';
import { brief, type Look, paint } from './look.ts';
import { table } from './table.ts';
import { count, formatTime } from './words.ts';

/** What a prune of one destination would come to. */
export function prunePreviewText({ destination, retention, space }: PrunePreview, look: Look): string {
  const { decisions, doubts } = retention;
  const going = decisions.filter(({ keep }) => !keep).length;
  const staying = decisions.length - going;
  const doubtLines = doubts.map(
    ({ plan, text }) => `${paint(look, 'yellow', 'in doubt')}: plan ${plan}: ${brief(text)}\n`,
  );
  return [
    decisions.length === 0 ? '' : decisionsTable(decisions, look),
    ...doubtLines,
    `${destination}: ${count(staying, 'backup')} ${staying === 1 ? 'stays' : 'stay'}, ${count(going, 'backup')} ${going === 1 ? 'goes' : 'go'}\n`,
    space === undefined ? '' : plannedText(destination, space),
  ].join('');
}

function decisionsTable(decisions: readonly CopyDecision[], look: Look): string {
  return table(
    decisions,
    [
      { title: 'ID', cell: ({ backup }) => backup.id },
      { title: 'PLAN', cell: ({ backup }) => backup.plan },
      { title: 'SHOWS', cell: ({ backup }) => formatTime(backup.consistentAt) },
      { title: 'SIZE', minor: true, right: true, cell: ({ backup }) => formatBytes(backup.sizeBytes) },
      { title: 'WHAT', cell: ({ keep }) => (keep ? 'stays' : paint(look, 'red', 'goes')) },
      { title: 'WHY', cell: ({ reasons }) => brief(reasons.map(({ text }) => text).join(', ')) },
    ],
    look,
  );
}

function plannedText(destination: string, space: NonNullable<PrunePreview['space']>): string {
  const { bytes, packs, usedBytes, removeBytes, markBytes, copyBytes, netBytes, freeBytes, lacksRoom, waiting } = space;
  const lines = [
    `${formatBytes(bytes)} in ${count(packs, 'pack')}, ${formatBytes(usedBytes)} needed`,
    `${formatBytes(removeBytes)} to delete now, ${formatBytes(markBytes)} to mark and delete later, ${formatBytes(copyBytes)} to write anew for that`,
    `${formatBytes(Math.abs(netBytes))} ${netBytes < 0 ? 'more' : 'less'} in the end${freeBytes === undefined ? '' : `; ${formatBytes(freeBytes)} are free now`}`,
    ...(lacksRoom === undefined
      ? []
      : [
          `it does not fit: to write anew takes ${formatBytes(lacksRoom.neededBytes)}, and ${formatBytes(lacksRoom.freeBytes)} are free; a prune does only what needs no copies, and packs that are mostly waste stay`,
        ]),
    ...waiting.map((mark) => {
      const whom = mark.waitsFor.length === 0 ? '' : `, and for ${mark.waitsFor.join(', ')}`;
      if (mark.isAhead)
        return `${formatBytes(mark.bytes)} marked by a clock that ran ahead, ${mark.markedAt}: a prune marks it anew${whom}`;
      return `${formatBytes(mark.bytes)} marked and waiting until ${formatTime(new Date(mark.ripeAt))}${whom}`;
    }),
  ];
  return lines.map((line) => `${destination}: ${line}\n`).join('');
}

/** What a prune did. */
export function prunedText(destination: string, result: PruneJobResult): string {
  const { expiredCount, notExpired, waiting } = result;
  const waitingBytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  const lines = [
    `${count(expiredCount, 'backup')} deleted, ${freedText(result)}`,
    ...(waitingBytes === 0 ? [] : [`${formatBytes(waitingBytes)} marked before and waiting`]),
    ...notExpired.map(({ backup, why }) => `${backup.id} was not deleted: ${brief(why)}`),
  ];
  return lines.map((line) => `${destination}: ${line}\n`).join('');
}
