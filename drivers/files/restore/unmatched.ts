import type { BackupReader, RestoreRequest } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { UnmatchedPatterns } from '../unmatched.ts';
import { childPath } from './restore-task.ts';
import { type RestoreStep, restoreSteps } from './restore-walk.ts';

export function seeStep(unmatched: UnmatchedPatterns, step: RestoreStep): void {
  if (unmatched.isEmpty) return;
  const path = step.kind === 'entry' ? childPath(step.folder.path, step.node.name) : step.folder.path;
  unmatched.see(`/${path}`);
}

/** Throws USAGE when nothing in the backup is asked for; what cannot be read might have been. */
export async function rejectNothing(
  { only, signal }: RestoreRequest,
  backup: BackupReader,
  leaveOut: readonly string[],
): Promise<void> {
  if (only.length === 0) return;
  for await (const step of restoreSteps(backup, only, leaveOut)) {
    signal.throwIfAborted();
    if (step.kind === 'entry' || step.kind === 'lost' || step.folder.selected) return;
  }
  throw new TidemarkError('USAGE', `nothing in the backup matches ${only.join(', ')}`, {
    hint: '`tidemark show ID --tree /` lists what a backup holds, with paths as they were on the source. An older backup may hold it: give it with `--backup`.',
  });
}
