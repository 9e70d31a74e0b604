import type { Job, NewJob } from '../core/catalog/index.ts';
import { hasCode, TidemarkError } from '../core/error.ts';
import { exitCodes } from '../core/error-codes.ts';
import { jobKinds, type Operation, operationOf, submitAndFollow, submitDetached } from '../core/job/index.ts';
import { jobJson } from '../core/overview/index.ts';
import type { Workspace } from './compose.ts';
import { showProgress } from './views/progress.ts';

/**
 * Queues a job and shows it until it ends, whoever runs it. Gives it when it ended well or with parts missing, and
 * throws its error otherwise.
 */
export async function followJob(workspace: Workspace, newJob: NewJob, title: string): Promise<Job> {
  const { operation, thrown } = remembering(workspace, operationOf(jobKinds, await workspace.operationContext()));
  const progress = showProgress(workspace.output, title, workspace.surroundings.clock);
  try {
    const job = await submitAndFollow(newJob, await workspace.jobContext(), operation, {
      signal: workspace.signal,
      hurry: workspace.surroundings.endingNow,
      onChange: progress.update,
      onWait: progress.note,
    });
    return endedWell(job, thrown());
  } finally {
    progress.end();
  }
}

/** Queues a job for the daemon and says which one it is. Throws DAEMON_MISSING. */
export async function detachJob(workspace: Workspace, newJob: NewJob): Promise<number> {
  const job = await submitDetached(newJob, await workspace.jobContext());
  const text = `job ${job.id} is queued; \`tidemark jobs\` shows what becomes of it\n`;
  workspace.output.result(text, { job: jobJson(job) });
  return exitCodes.ok;
}

/** The exit code of a job that `followJob` gave. */
export function jobExitCode({ state }: Job): number {
  return state === 'partial' ? exitCodes.partial : exitCodes.ok;
}

/**
 * A job keeps no stack of its error; what was thrown in this process has one, which shows where a defect is. Of a verb that
 * is to end nobody may come to read the job: what was stored and is not known is told at once.
 */
function remembering({ signal, output }: Workspace, given: Operation): { operation: Operation; thrown: () => unknown } {
  let last: unknown;
  const operation: Operation = (job, run) =>
    given(job, run).catch((thrown) => {
      last = thrown;
      if (signal.aborted && hasCode(thrown, 'BACKUP_UNRECORDED')) output.warn(thrown.message, thrown.hint);
      throw thrown;
    });
  return { operation, thrown: () => last };
}

function endedWell(job: Job, thrown: unknown): Job {
  if (job.state === 'succeeded' || job.state === 'partial') return job;
  const { code, message, subject, hint } = job.error ?? { code: 'CANCELLED', message: `job ${job.id} is ${job.state}` };
  const cause = thrown instanceof TidemarkError ? (thrown.cause ?? thrown) : thrown;
  throw new TidemarkError(code, message, { subject, hint, cause });
}
