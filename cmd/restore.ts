import { resolve } from 'node:path';
import type { NewJob } from '../core/catalog/index.ts';
import { type RestoreJobResult, restoreJob } from '../core/job/index.ts';
import { jobJson } from '../core/overview/index.ts';
import type { RestoreOptions, RestorePlan, RestoreTarget, RestoreWish } from '../core/restore/index.ts';
import { formatBytes } from '../core/units.ts';
import type { Workspace } from './compose.ts';
import { followJob, jobExitCode } from './follow-job.ts';
import { notRestoredText } from './views/not-restored.ts';
import { targetText } from './views/restore-plan.ts';
import { count, formatTime } from './views/words.ts';

/** A folder begins with `/` or `.`; anything else is the name of a source. */
export function parseTarget(text: string, cwd: string): RestoreTarget {
  return /^[./]/.test(text) ? { folder: resolve(cwd, text) } : { source: text };
}

/** The options that verbs have in common. */
export interface RestoreFlags {
  readonly only?: readonly string[];
  readonly overwrite?: boolean;
  readonly verify?: boolean;
  readonly keepDamaged?: boolean;
}

export function restoreOptions(target: RestoreTarget, flags: RestoreFlags): RestoreOptions {
  const { only = [], overwrite = false, verify = false, keepDamaged = false } = flags;
  return { target, only, overwrite, verify, keepDamaged };
}

/** Decides what a restore will do; see `core/restore`. */
export async function decideRestore(workspace: Workspace, wish: RestoreWish): Promise<RestorePlan> {
  const { planRestore } = await import('../core/operation/index.ts');
  return planRestore(await planningContext(workspace), wish, workspace.surroundings.clock.now());
}

/** The job of a plan, to be queued. */
export async function jobOf(workspace: Workspace, plan: RestorePlan): Promise<NewJob> {
  return restoreJob(plan, await planningContext(workspace));
}

async function planningContext(workspace: Workspace) {
  return { catalog: await workspace.catalog(), drivers: await workspace.drivers() };
}

/** Restores as a job, shows it and what came of it, and gives the exit code. */
export async function restore(workspace: Workspace, plan: RestorePlan): Promise<number> {
  const { backup, target } = plan;
  const job = await followJob(workspace, await jobOf(workspace, plan), `restore ${backup.source}`);
  const { restoredTo, items, bytes, warnings, notRestored, notRestoredCount } =
    job.result as unknown as RestoreJobResult;
  const { output } = workspace;
  if (!output.json) {
    for (const warning of warnings) output.warn(warning);
    output.draw(notRestoredText(notRestored, notRestoredCount, output.messageLook));
  }
  const but = notRestoredCount === 0 ? '' : `; ${count(notRestoredCount, 'item')} not restored`;
  const what = count(items, 'folder' in target ? 'file' : 'item');
  const text = `restored ${what}, ${formatBytes(bytes)}, as of ${formatTime(new Date(restoredTo))} into ${targetText(target)}${but}\n`;
  output.result(text, { backup: backup.id, restorePlan: plan, job: jobJson(job), notRestored, notRestoredCount });
  return jobExitCode(job);
}
