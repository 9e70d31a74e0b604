import { isFinal, type Job, type NewJob, type Rival } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { TidemarkError } from '../error.ts';
import { leaseMs } from './lease-times.ts';
import type { JobContext, Operation } from './operation.ts';
import { runJob } from './run-job.ts';
import { takeOver } from './take-over.ts';
import { describeUse } from './uses.ts';

export interface FollowOptions {
  /** Asks for a cancel when it fires; the job is still followed to its end. */
  readonly signal: AbortSignal;
  /** What to do while a job runs that this one clashes with. */
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
  operation: Operation,
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
    } else if (job.state !== 'queued' || !(await runHere(job, context, operation, options))) {
      if (job.state === 'queued') onceTold(await waitReason(job, context));
      await waitALittle(context, options.signal);
    }
  }
}

/** The running job that has run longest of those that keep this one waiting. */
async function findRival({ uses }: Pick<Job, 'uses'>, { catalog }: JobContext): Promise<Rival | undefined> {
  return (await catalog.jobs.rivals(uses))[0];
}

function busy({ job, use }: Rival): TidemarkError {
  return new TidemarkError('JOB_CONFLICT', `a ${job.kind} that ${describeUse(use)} is running already: job ${job.id}`, {
    subject: `sources.${job.source}`,
    hint: `Wait for it, or end it with \`tidemark cancel ${job.id}\`.`,
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
  operation: Operation,
  { signal, onChange }: FollowOptions,
): Promise<boolean> {
  const { catalog, owner } = context;
  if ((await catalog.daemons.alive()).length > 0) return false;
  await takeOver(context);
  const claimed = await catalog.jobs.claim({ owner, leaseMs, id: job.id });
  if (claimed === undefined) return false;
  await runJob(claimed, context, operation, { signal: cancelOn(signal), onProgress: onChange });
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
  if (rival !== undefined) return `waiting for job ${rival.job.id}, a ${rival.job.kind} that ${describeUse(rival.use)}`;
  return 'waiting for the daemon to start the job';
}

/** After a cancel the signal stays fired, and the wait must still be one. */
async function waitALittle({ clock }: JobContext, signal: AbortSignal): Promise<void> {
  const waited = await pause(clock, lookEveryMs, signal);
  if (!waited) await clock.sleep(lookEveryMs / 5);
}
