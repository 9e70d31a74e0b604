import type { RepairJobResult } from '../../core/job/index.ts';
import type { RepairPlan } from '../../core/repository/index.ts';
import { formatBytes } from '../../core/units.ts';
import { brief, type Look, paint, printable } from './look.ts';
import { count } from './words.ts';

/** Nothing is to be done. */
export function isEmptyPlan({ misplaced, indexFiles, packs, snapshots, marks, pins }: RepairPlan): boolean {
  const notes = marks.length + pins.setAside.length;
  return misplaced.length + indexFiles.length + packs.length + snapshots.length + notes === 0;
}

/** What a repair would do, in its order. */
export function repairPlanText(plan: RepairPlan, look: Look): string {
  const { misplaced, indexFiles, packs, snapshots, marks, pins, left } = plan;
  const lines = [
    ...some(misplaced.map(({ name, action, reason }) => `${action} ${printable(name)}: ${printable(reason)}`)),
    ...some(packs.map(({ id, action, reason }) => `${action} pack ${id.slice(0, 16)}: ${printable(reason)}`)),
    ...some(indexFiles.map((id) => `set aside index file ${id.slice(0, 16)}: it cannot be read`)),
    ...some(
      marks.map((id) => `set aside mark ${id.slice(0, 16)}: it cannot be read; what it named a prune finds again`),
    ),
    ...some(
      pins.putBack.map(
        ({ backup }) =>
          `pin backup ${printable(backup)} again: the catalog knows that a pin said so which cannot be read`,
      ),
    ),
    ...some(pins.setAside.map((id) => `set aside pin ${id.slice(0, 16)}: it cannot be read`)),
    ...some(snapshots.map(snapshotLine)),
    ...left.map((text) => `${paint(look, 'yellow', 'left as it is')}: ${printable(text)}`),
  ];
  if (lines.length === 0) return 'nothing needs to be repaired\n';
  if (!isEmptyPlan(plan)) lines.push(roomText(plan));
  const note =
    snapshots.length === 0 || isEmptyPlan(plan)
      ? ''
      : 'What is lost is left out of these backups, and each says so. What is left of a damaged file a restore with `--keep-damaged` brings back before this, not after. Damaged objects are moved to `damaged/` in the repository.\n';
  return `${lines.map((line) => `${line}\n`).join('')}${note}`;
}

function roomText({ needsBytes, freeBytes }: RepairPlan): string {
  const free = freeBytes === undefined ? '' : `, and ${formatBytes(freeBytes)} are free`;
  return `while it runs it needs about ${formatBytes(needsBytes)} of space${free}`;
}

const mostLines = 50;
const mostPaths = 5;

function some(lines: readonly string[]): readonly string[] {
  return lines.length <= mostLines
    ? lines
    : [...lines.slice(0, mostLines), `and ${lines.length - mostLines} more like it`];
}

function snapshotLine({
  id,
  backup,
  plan,
  time,
  action,
  reason,
  paths,
  count: total,
}: RepairPlan['snapshots'][number]): string {
  const whose = backup === undefined ? `snapshot ${id.slice(0, 8)}` : `backup ${backup} of ${plan}`;
  const shown = paths.slice(0, mostPaths).map(brief).join(', ');
  const more = total > mostPaths ? `, and ${total - mostPaths} more` : '';
  const loses = paths.length === 0 ? '' : ` (${shown}${more})`;
  return `${action} ${printable(whose)}${time === '' ? '' : `, ${printable(time)}`}: ${printable(reason)}${loses}`;
}

export function repairedText(
  { verdict, packs, indexFiles, notes, rewritten, setAside, lessened, destination }: RepairJobResult,
  look: Look,
): string {
  const cleared = notes === 0 ? '' : `, ${count(notes, 'mark or pin', 'marks and pins')} set aside`;
  const done = `${count(packs, 'pack')} and ${count(indexFiles, 'index file')} put right${cleared}, ${count(rewritten, 'backup')} rewritten without what is lost, ${count(setAside, 'snapshot')} set aside`;
  const now =
    verdict === 'good'
      ? paint(look, 'green', `${destination} is good again`)
      : paint(look, 'red', `${destination} is still ${verdict}`);
  const lost =
    lessened === 0
      ? ''
      : `; ${paint(look, 'yellow', `${count(lessened, 'backup')} lost something`)}: \`tidemark events\` names what`;
  return `${now}: ${done}${lost}\n`;
}
