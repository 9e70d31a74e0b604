import { TidemarkError } from '../error.ts';
import type { Candidate, PlannedBackup } from './plan.ts';
import { selectionText } from './selection.ts';

/** None of the backups can hold what is asked for. */
export function nothingHeld(candidates: readonly Candidate[], only: readonly string[]): TidemarkError {
  const [newest] = candidates;
  const what =
    candidates.length === 1
      ? `backup ${newest!.id} holds nothing`
      : `no backup of \`${newest!.source}\` holds anything`;
  const selections = new Map(candidates.map(({ plan, selection }) => [plan, selectionText(selection)]));
  const held = [...selections].slice(0, 5).map(([plan, text]) => `plan \`${plan}\` holds ${text}`);
  return new TidemarkError('BACKUP_NOT_FOUND', `${what} that matches ${only.join(', ')}`, {
    subject: `sources.${newest!.source}`,
    hint: `${held.join('; ')}. \`tidemark show\` lists what a backup holds.`.replace(/^p/, 'P'),
  });
}

export function noBackup(source: string | undefined, plan: string | undefined): TidemarkError {
  const ofPlan = plan === undefined ? '' : ` by plan \`${plan}\``;
  return new TidemarkError('BACKUP_NOT_FOUND', `there is no backup of \`${source}\`${ofPlan} in the catalog`, {
    subject: `sources.${source}`,
    hint:
      plan === undefined
        ? 'Make one with `tidemark backup PLAN`, or read a destination’s with `tidemark catalog import DESTINATION`.'
        : `\`tidemark backups ${source}\` lists those of all plans.`,
  });
}

/** No log is archived that would lead from a backup to the seconds after it: only a backup's own second can be had. */
export function noBackupAt(
  at: Date,
  source: string | undefined,
  nearest: { readonly before?: Candidate; readonly after?: Candidate },
): TidemarkError {
  const points = pointTexts(nearest);
  return new TidemarkError('BACKUP_NOT_FOUND', `no backup shows ${at.toISOString()}, and no archived log leads there`, {
    subject: `sources.${source}`,
    hint: `The nearest point ${points.join('; ')}.`,
  });
}

/** The backup that a restore is to bring back is being deleted, or was. */
export function noLongerThere(
  backup: Pick<PlannedBackup, 'id' | 'source' | 'destination'>,
  expiringAt: Date | undefined,
  nearest: { readonly before?: Candidate; readonly after?: Candidate },
): TidemarkError {
  const points = pointTexts(nearest);
  const since =
    expiringAt === undefined
      ? 'is gone since this restore was planned'
      : `is being deleted since ${expiringAt.toISOString()}`;
  return new TidemarkError('BACKUP_NOT_FOUND', `backup ${backup.id} ${since}`, {
    subject: `destinations.${backup.destination}`,
    hint:
      points.length === 0
        ? `There is no other backup of \`${backup.source}\` by its plan; \`tidemark backups ${backup.source}\` lists all.`
        : `The nearest other backup of its plan is ${points.join('; ')}.`,
  });
}

export function timeToCome(at: Date): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `${at.toISOString()} is in the future`, {
    hint: 'Name a time that has passed.',
  });
}

/** A backup was named that is not one of the source or plan that was named too. */
export function backupOfOther(id: string, noun: 'source' | 'plan', is: string, asked: string): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `backup ${id} is one of ${noun} \`${is}\`, not of \`${asked}\``, {
    hint: `List the others with \`tidemark backups ${noun === 'plan' ? `--plan ${asked}` : asked}\`.`,
  });
}

function pointTexts(nearest: { readonly before?: Candidate; readonly after?: Candidate }): string[] {
  return Object.entries(nearest).flatMap(([side, one]) => (one === undefined ? [] : [`${side}: ${pointText(one)}`]));
}

function pointText({ consistentAt, id }: Candidate): string {
  return `${consistentAt.toISOString()}, with \`--backup ${id}\``;
}
