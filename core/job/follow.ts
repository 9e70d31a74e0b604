import { isFinal, type Job, type NewJob, type Rival } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { leaseMs } from './lease-times.ts';
import type { JobContext, Operation } from './operation.ts';
import { runJob } from './run-job.ts';
import { settle } from './settle.ts';
import { takeOver } from './take-over.ts';
import { describeUse } from './uses.ts';

export interface FollowOptions {
  /** Asks for a cancel when it fires; the job is still followed to its end. */
  readonly signal: AbortSignal;
  /** The person does not want to wait for the cancel: after a moment the job is ended as it is, or left to its daemon. */
  readonly hurry?: AbortSignal;
  /** The job as it is, whenever it was looked at. */
  readonly onChange?: (job: Job) => void;
  /** Why the job does not start yet; told once per reason. */
  readonly onWait?: (text: string) => void;
}

const lookEveryMs = 500;

/**
 * Queues a job and waits for its end: runs it here when no daemon is alive, otherwise watches the daemon do it, and takes
 * it over when that daemon dies. Gives the job in its final state, whatever that is. A job that still waits when this
 * process dies is cancelled by whoever looks next.
 * Throws CANCELLED when it did not wait for the end.
 */
export async function submitAndFollow(
  newJob: NewJob,
  context: JobContext,
  operation: Operation,
  options: FollowOptions,
): Promise<Job> {
  options.signal.throwIfAborted();
  const waiter = { owner: context.owner, leaseMs };
  const { id } = await context.catalog.jobs.add({ ...newJob, waiter });
  const keepWaiting = everySoOften(context, leaseMs / 4, () => sayWaiting(id, waiter, context));
  const onceTold = tellOnce(options.onWait);
  for (;;) {
    const job = await context.catalog.jobs.get(id);
    options.onChange?.(job);
    if (isFinal(job.state)) return job;
    if (job.state === 'queued') await keepWaiting();
    if (options.signal.aborted && !job.cancelRequested) {
      await requestCancel(id, context);
    } else if (job.state !== 'queued' || !(await runHere(job, context, operation, options))) {
      if (job.state === 'running' && !(await isDaemonAlive(context))) await takeOver(context, options.signal);
      if (options.hurry?.aborted) throw leftToItsEnd(job);
      if (job.state === 'queued') onceTold(await waitReason(job, context));
      await waitALittle(context, options.signal);
    }
  }
}

/**
 * Queues a job for a daemon, and waits for nothing. Throws DAEMON_MISSING, before anything is queued, when none is alive.
 */
export async function submitDetached(newJob: NewJob, context: JobContext): Promise<Job> {
  if (await isDaemonAlive(context)) return context.catalog.jobs.add(newJob);
  throw new TidemarkError('DAEMON_MISSING', 'no daemon runs on this catalog that would do the job', {
    hint: 'Start `tidemark daemon`, or leave `--detach` out: then the job runs here, and its end is waited for.',
  });
}

async function isDaemonAlive({ catalog, fate }: JobContext): Promise<boolean> {
  return (await catalog.daemons.alive(fate)).length > 0;
}

function everySoOften({ clock }: JobContext, everyMs: number, call: () => Promise<void>): () => Promise<void> {
  let lastMs = clock.monotonicMs();
  return async () => {
    if (clock.monotonicMs() - lastMs < everyMs) return;
    lastMs = clock.monotonicMs();
    await call();
  };
}

/** A catalog that is busy now is told the next time. */
async function sayWaiting(id: string, waiter: { owner: string; leaseMs: number }, { catalog }: JobContext) {
  try {
    await catalog.jobs.keepWaiting(id, waiter);
  } catch (thrown) {
    if (!hasCode(thrown, 'CATALOG_BUSY')) throw thrown;
  }
}

/** A job that has ended just before is seen as it is in the next round. */
async function requestCancel(id: string, { catalog }: JobContext): Promise<void> {
  try {
    await catalog.jobs.requestCancel(id);
  } catch (thrown) {
    if (!hasCode(thrown, 'JOB_CONFLICT')) throw thrown;
  }
}

function leftToItsEnd({ id }: Job): TidemarkError {
  return new TidemarkError('CANCELLED', `job ${id} was asked to end and has not ended yet`, {
    hint: `Its daemon ends it within seconds; \`tidemark jobs\` shows it.`,
  });
}

/** The running job that has run longest of those that keep this one waiting. */
async function findRival({ uses }: Pick<Job, 'uses'>, { catalog }: JobContext): Promise<Rival | undefined> {
  return (await catalog.jobs.rivals(uses))[0];
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
  { signal, hurry, onChange }: FollowOptions,
): Promise<boolean> {
  const { catalog, owner } = context;
  if (await isDaemonAlive(context)) return false;
  await takeOver(context, signal);
  const claimed = await catalog.jobs.claim({ owner, leaseMs, id: job.id });
  if (claimed === undefined) return false;
  const run = runJob(claimed, context, operation, { signal: cancelOn(signal), onProgress: onChange });
  const over = new AbortController();
  await Promise.race([run, endAsItIs(claimed, context, hurry, over.signal)]).finally(() => over.abort());
  return true;
}

/** How long the work has left when the person does not want to wait. */
const hurryMs = 2_000;

/** Settles the job without its work, which is left behind and ends with the process. Never when `hurry` does not fire. */
async function endAsItIs(job: Job, context: JobContext, hurry: AbortSignal | undefined, over: AbortSignal) {
  if (hurry !== undefined && !hurry.aborted) {
    await new Promise<void>((resolve) =>
      hurry.addEventListener('abort', () => resolve(), { once: true, signal: over }),
    );
  }
  if (hurry === undefined || !(await pause(context.clock, hurryMs, over))) return new Promise<never>(() => {});
  const error = new TidemarkError('CANCELLED', 'the job was cancelled and its work left as it was');
  return settle(job, { error, interrupted: false }, context);
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
