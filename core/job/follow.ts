import { isFinal, type Job, type NewJob } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { TidemarkError } from '../error.ts';
import { leaseMs } from './lease.ts';
import type { JobContext, Operations } from './operation.ts';
import { runJob } from './run-job.ts';
import { takeOver } from './take-over.ts';

export interface FollowOptions {
  /** Asks for a cancel when it fires; the job is still followed to its end. */
  readonly signal: AbortSignal;
  /** What to do while another job of the same kind runs on the same source. */
  readonly whenBusy: 'wait' | 'fail';
  /** The job as it is, whenever it was looked at. */
  readonly onChange?: (job: Job) => void;
  /** Why the job does not start yet; told once per reason. */
  readonly onWait?: (text: string) => void;
}

const lookEveryMs = 500;

/**
 * Queues a job and waits for its end: runs it here when no daemon is alive, otherwise watches the daemon do it, and runs
 * it here when that daemon dies before it begins. Gives the job in its final state, whatever that is.
 * Throws JOB_CONFLICT with `whenBusy: 'fail'`, before anything is queued.
 */
export async function submitAndFollow(
  newJob: NewJob,
  context: JobContext,
  operations: Operations,
  options: FollowOptions,
): Promise<Job> {
  options.signal.throwIfAborted();
  const rival = await findRival(newJob, context);
  if (rival !== undefined && options.whenBusy === 'fail') throw busy(rival);
  const { id } = await context.catalog.jobs.add(newJob);
  const onceTold = tellOnce(options.onWait);
  for (;;) {
    const job = await context.catalog.jobs.get(id);
    options.onChange?.(job);
    if (isFinal(job.state)) return job;
    if (options.signal.aborted && !job.cancelRequested) {
      await context.catalog.jobs.requestCancel(id);
    } else if (job.state !== 'queued' || !(await runHere(job, context, operations, options))) {
      if (job.state === 'queued') onceTold(await waitReason(job, context));
      await waitALittle(context, options.signal);
    }
  }
}

/** The running job that keeps another one of its kind and source waiting. */
async function findRival(job: Pick<Job, 'kind' | 'source'>, { catalog }: JobContext): Promise<Job | undefined> {
  const [rival] = await catalog.jobs.list({ states: ['running'], kind: job.kind, source: job.source, limit: 1 });
  return rival;
}

function busy(rival: Job): TidemarkError {
  return new TidemarkError('JOB_CONFLICT', `a ${rival.kind} of ${rival.source} is running already: job ${rival.id}`, {
    subject: `sources.${rival.source}`,
    hint: `Wait for it, or end it with \`tidemark cancel ${rival.id}\`.`,
  });
}

function tellOnce(tell: ((text: string) => void) | undefined): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) tell?.(text);
    last = text;
  };
}

/** True when the job was run (an attempt of it); false when a daemon will do it or it cannot be claimed now. */
async function runHere(
  job: Job,
  context: JobContext,
  operations: Operations,
  { signal, onChange }: FollowOptions,
): Promise<boolean> {
  const { catalog, owner } = context;
  if ((await catalog.daemons.alive()).length > 0) return false;
  await takeOver(context);
  const claimed = await catalog.jobs.claim({ owner, leaseMs, id: job.id });
  if (claimed === undefined) return false;
  await runJob(claimed, context, operations, { signal: cancelOn(signal), onProgress: onChange });
  return true;
}

/** A signal whose reason says that a person ended the job, whatever the reason of the first. */
function cancelOn(signal: AbortSignal): AbortSignal {
  const cancel = new AbortController();
  const fire = () => cancel.abort(new TidemarkError('CANCELLED', 'the job was cancelled'));
  if (signal.aborted) fire();
  else signal.addEventListener('abort', fire, { once: true });
  return cancel.signal;
}

async function waitReason(job: Job, context: JobContext): Promise<string> {
  if (job.notBefore !== undefined && job.notBefore > context.clock.now()) {
    return `trying again at ${job.notBefore.toISOString()}: ${job.error?.message ?? 'the last attempt failed'}`;
  }
  const rival = await findRival(job, context);
  if (rival !== undefined) return `waiting for job ${rival.id}, a ${rival.kind} of the same source`;
  return 'waiting for the daemon to start the job';
}

/** After a cancel the signal stays fired, and the wait must still be one. */
async function waitALittle({ clock }: JobContext, signal: AbortSignal): Promise<void> {
  const waited = await pause(clock, lookEveryMs, signal);
  if (!waited) await clock.sleep(lookEveryMs / 5);
}
