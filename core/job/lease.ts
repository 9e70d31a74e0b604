import type { Job, JobProgress } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import { leaseMs, letGoMs, marginMs, renewEveryMs } from './lease-times.ts';
import type { JobContext } from './operation.ts';

/**
 * Runs `work` while the lease of a claimed job is renewed with its progress. The signal that `work` gets fires with
 * CANCELLED when somebody asked for it, with JOB_LOST before another process can take the job, and with `outer`.
 * The lease is held until `work` returns, also after a cancel, unless it is lost. Throws JOB_LOST when it is lost and the
 * work has not let go in time: it is left behind, and its process has to end before somebody else takes the job.
 */
export async function withLease<Result>(
  job: Job,
  context: JobContext,
  options: { outer: AbortSignal; progress: () => JobProgress; onRenewed?: (job: Job) => void },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const [stopped, lost] = [new AbortController(), new AbortController()];
  const stop = (reason: TidemarkError) => {
    stopped.abort(reason);
    if (reason.code !== 'CANCELLED') lost.abort(reason);
  };
  const hold = { job, context, ended: ended.signal, stop };
  const deadline = { atMs: context.clock.monotonicMs() + remainingMs(job, context) - marginMs };
  const keeping = Promise.all([renew(hold, deadline, options), watch(hold, deadline)]);
  try {
    return await Promise.race([work(AbortSignal.any([options.outer, stopped.signal])), overdue(hold, lost.signal)]);
  } finally {
    ended.abort();
    await keeping;
  }
}

interface Hold {
  readonly job: Job;
  readonly context: JobContext;
  readonly ended: AbortSignal;
  stop(reason: TidemarkError): void;
}

/** Monotonic: a step of the wall clock does not lose jobs. `takeOver` does its part. */
interface Deadline {
  atMs: number;
}

function remainingMs(job: Job, { clock }: JobContext): number {
  return Math.min(leaseMs, (job.lease?.until.getTime() ?? 0) - clock.now().getTime());
}

async function renew(
  { job, context, ended, stop }: Hold,
  deadline: Deadline,
  options: { progress: () => JobProgress; onRenewed?: (job: Job) => void },
): Promise<void> {
  const lease = { owner: context.owner, fence: job.lease?.fence ?? 0, leaseMs };
  while (await pause(context.clock, renewEveryMs, ended)) {
    const askedAtMs = context.clock.monotonicMs();
    try {
      const renewed = await context.catalog.jobs.renew(job.id, lease, options.progress());
      deadline.atMs = askedAtMs + leaseMs - marginMs;
      if (renewed.cancelRequested) stop(new TidemarkError('CANCELLED', 'the job was cancelled'));
      options.onRenewed?.(renewed);
    } catch (thrown) {
      if (hasCode(thrown, 'CATALOG_BUSY')) continue;
      if (!ended.aborted) stop(asTidemarkError(thrown));
      return;
    }
  }
}

async function watch({ context, ended, stop }: Hold, deadline: Deadline): Promise<void> {
  for (;;) {
    const leftMs = deadline.atMs - context.clock.monotonicMs();
    if (leftMs <= 0) return stop(new TidemarkError('JOB_LOST', 'the lease of the job could not be renewed in time'));
    if (!(await pause(context.clock, leftMs, ended))) return;
  }
}

function overdue({ context, ended }: Hold, lost: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const wait = async () => (await pause(context.clock, letGoMs, ended)) && reject(lost.reason);
    lost.addEventListener('abort', wait, { once: true });
  });
}
