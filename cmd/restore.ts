import { resolve } from 'node:path';
import type { BackupRecord, NewJob } from '../core/catalog/index.ts';
import { type RestoreJobRequest, type RestoreJobResult, restoreJob } from '../core/job/index.ts';
import { formatBytes } from '../core/units.ts';
import type { Workspace } from './compose.ts';
import { followJob, jobExitCode } from './follow-job.ts';
import { jobJson } from './views/jobs.ts';
import { notRestoredText } from './views/not-restored.ts';
import { count, formatTime } from './views/words.ts';

export type RestoreTarget = RestoreJobRequest['into'];

/** A folder begins with `/` or `.`; anything else is the name of a source. */
export function parseTarget(text: string, cwd: string): RestoreTarget {
  return /^[./]/.test(text) ? { folder: resolve(cwd, text) } : { source: text };
}

export interface RestoreWish {
  readonly backup: BackupRecord;
  readonly into: RestoreTarget;
  readonly only?: readonly string[];
  readonly overwrite?: boolean;
  readonly verify?: boolean;
  readonly keepDamaged?: boolean;
}

/** Restores as a job, shows it and what came of it, and gives the exit code. */
export async function restore(workspace: Workspace, wish: RestoreWish): Promise<number> {
  const job = await followJob(workspace, await jobOf(wish), `restore ${wish.backup.source}`);
  const { restoredTo, items, bytes, warnings, notRestored, notRestoredCount } =
    job.result as unknown as RestoreJobResult;
  const { output } = workspace;
  if (!output.json) {
    for (const warning of warnings) output.warn(warning);
    output.draw(notRestoredText(notRestored, notRestoredCount, output.messageLook));
  }
  const target = 'folder' in wish.into ? wish.into.folder : `sources.${wish.into.source}`;
  const but = notRestoredCount === 0 ? '' : `; ${count(notRestoredCount, 'item')} not restored`;
  const text = `restored ${count(items, 'item')}, ${formatBytes(bytes)}, as of ${formatTime(new Date(restoredTo))} into ${target}${but}\n`;
  output.result(text, { backup: wish.backup.id, job: jobJson(job), notRestored, notRestoredCount });
  return jobExitCode(job);
}

function jobOf({
  backup,
  into,
  only = [],
  overwrite = false,
  verify = false,
  keepDamaged = false,
}: RestoreWish): Promise<NewJob> {
  return restoreJob(backup, { backup: backup.id, into, only, overwrite, verify, keepDamaged });
}
