import type { Job } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { watchMs } from './lease-times.ts';
import type { JobContext } from './operation.ts';
import { jobSubject } from './request.ts';
import { settle } from './settle.ts';

/**
 * Settles the jobs whose process died. One that ran is queued again while attempts remain, and otherwise fails with
 * JOB_LOST; one that a verb waited for is cancelled, since nobody wants it any more. Safe to call from several processes
 * at a time; gives the jobs that this call settled. A process that is not known to be gone has some seconds to renew its
 * lease. When the signal fires nothing more is waited for: CATALOG_BUSY where the catalog is locked.
 */
export async function takeOver(
  context: JobContext,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Job[]> {
  const abandoned = await context.catalog.jobs.abandoned(context.fate);
  const mayLive = ({ state, lease }: Job) =>
    state === 'running' && lease !== undefined && context.fate(lease.owner) !== 'gone';
  const settled = await settleAll(
    abandoned.filter((job) => !mayLive(job)),
    context,
    signal,
  );
  const late = abandoned.filter(mayLive);
  if (late.length === 0 || !(await pause(context.clock, watchMs, signal))) return settled;
  return [...settled, ...(await settleAll(late, context, signal))];
}

async function settleAll(jobs: readonly Job[], context: JobContext, signal: AbortSignal): Promise<readonly Job[]> {
  const settled: Job[] = [];
  for (const job of jobs) {
    const done = job.state === 'queued' ? await drop(job, context) : await recover(job, context, signal);
    if (done !== undefined) settled.push(done);
  }
  return settled;
}

function recover(job: Job, context: JobContext, signal: AbortSignal): Promise<Job | undefined> {
  const error = new TidemarkError('JOB_LOST', `the process that ran the job died (${job.lease?.owner ?? 'unknown'})`, {
    hint: 'Look into the log of that process. The repository is intact; the next run stores what is missing.',
  });
  const terms = { isOver: () => signal.aborted, unlessRenewed: true };
  return settle(job, { error, interrupted: false }, context, terms);
}

/** Undefined when somebody else was faster. */
async function drop(job: Job, { catalog, emit }: JobContext): Promise<Job | undefined> {
  const message = `the command that waited for it ended before it began (${job.waiter?.owner})`;
  const hint = 'Start it again; with `--detach` it runs also when nobody waits for it.';
  const error = { code: 'CANCELLED', message, hint } as const;
  const told = (changed: Job) =>
    emit.event('job.cancelled', jobSubject(changed), `${job.kind} was cancelled: ${message}`);
  try {
    const settlement = (changed: Job) => ({ event: told(changed) });
    const done = await catalog.jobs.transition(job, 'cancelled', { error }, { settlement });
    emit.log(told(done));
    return done;
  } catch (thrown) {
    if (hasCode(thrown, 'JOB_CONFLICT')) return undefined;
    throw thrown;
  }
}
