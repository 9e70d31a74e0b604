import type { Alternative, PlannedBackup, RestorePlan, RestoreTarget } from '../../core/restore/index.ts';
import { type Look, printable } from './look.ts';
import { formatAge, formatTime } from './words.ts';

/** What will be restored, and why that. */
export function restorePlanText({ backup, target, why }: RestorePlan, look: Look): string {
  return `restoring \`${printable(backup.source)}\` from ${backupText(backup, look)} into ${targetText(target)}: ${printable(why)}\n`;
}

/** What was not chosen, without a person to ask. */
export function alternativeText({ backup, why }: Alternative, look: Look): string {
  return `not chosen: ${backupText(backup, look)}: ${printable(why)}`;
}

/** The choice as a numbered list, the proposed one first. */
export function choicesText({ backup, why }: RestorePlan, others: readonly Alternative[], look: Look): string {
  const lines = [{ backup, why }, ...others].map(
    (one, at) => `  ${at + 1}  ${backupText(one.backup, look)}: ${printable(one.why)}\n`,
  );
  return `several backups of \`${printable(backup.source)}\` may be meant:\n${lines.join('')}`;
}

export function targetText(target: RestoreTarget): string {
  return printable('folder' in target ? target.folder : `sources.${target.source}`);
}

function backupText({ id, plan, consistentAt }: PlannedBackup, look: Look): string {
  const time = new Date(consistentAt);
  const by = plan === '' ? '' : `plan ${printable(plan)}, `;
  return `backup ${id} (${by}as of ${formatTime(time)}, ${formatAge(time, look.now)})`;
}
