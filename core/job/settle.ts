import type { Job, JobChange, JobState } from '../catalog/index.ts';
import { hasCode, type TidemarkError } from '../error.ts';
import type { EventKind } from '../observe/index.ts';
import type { JobContext, JobOutcome } from './operation.ts';
import { describeError, jobSubject, requestTime, retryDelayMs } from './request.ts';

/** How an attempt at a running job ended. `interrupted`: the process stops, through no fault of the job. */
export type Ending = { readonly outcome: JobOutcome } | Failure;

interface Failure {
  readonly error: TidemarkError;
  readonly interrupted: boolean;
}

interface Settlement {
  readonly to: JobState;
  readonly change: JobChange;
  readonly event: EventKind;
  readonly text: string;
}

/**
 * Ends a running job or queues it again, keeps the plan's status and tells it as an event. A busy catalog is waited for
 * until `held` fires with JOB_LOST: a finished backup must not count as lost because somebody else was writing.
 * What was stored before the job was cancelled or lost counts as done. Undefined when the job is not ours any more:
 * whoever took it settles it. Throws CATALOG_UNREADABLE when the catalog was deleted: nothing is done that nobody can see.
 */
export async function settle(
  job: Job,
  ending: Ending,
  context: JobContext,
  held?: AbortSignal,
): Promise<Job | undefined> {
  const { catalog, clock, emit } = context;
  await catalog.checkPresence();
  const stored = 'outcome' in ending ? ending : await insist(context, held, () => storedAlready(job, context));
  const { to, change, event, text } = decide(job, stored ?? ending, context);
  const settled = await insist(context, held, () => transition(job, to, change, context));
  if (settled === undefined) return undefined;
  const stamp = { succeeded: { lastSuccessAt: clock.now() }, failed: { lastFailureAt: clock.now() } };
  const { plan } = job;
  if (context.kinds[job.kind]?.countsForPlan && plan !== undefined && (to === 'succeeded' || to === 'failed')) {
    await insist(context, held, () => catalog.plans.update(plan, stamp[to]));
  }
  const cancelled = to === 'queued' && settled.state === 'cancelled';
  await insist(context, held, () => emit(cancelled ? 'job.cancelled' : event, jobSubject(job), text));
  return settled;
}

async function storedAlready(job: Job, { catalog, kinds }: JobContext): Promise<Ending | undefined> {
  const outcome = await kinds[job.kind]?.stored?.(catalog, job);
  return outcome === undefined ? undefined : { outcome };
}

async function insist<Result>(
  { clock }: JobContext,
  held: AbortSignal | undefined,
  call: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      if (!hasCode(thrown, 'CATALOG_BUSY') || hasCode(held?.reason, 'JOB_LOST')) throw thrown;
      await clock.sleep(500);
    }
  }
}

async function transition(
  job: Job,
  to: JobState,
  change: JobChange,
  { catalog }: JobContext,
): Promise<Job | undefined> {
  try {
    return await catalog.jobs.transition(job, to, change);
  } catch (thrown) {
    if (hasCode(thrown, 'JOB_CONFLICT', 'JOB_LOST')) return undefined;
    throw thrown;
  }
}

function decide(job: Job, ending: Ending, context: JobContext): Settlement {
  if ('outcome' in ending) {
    const { partial, result } = ending.outcome;
    return partial
      ? { to: 'partial', change: { result }, event: 'job.partial', text: `${job.kind} ended with parts missing` }
      : { to: 'succeeded', change: { result }, event: 'job.succeeded', text: `${job.kind} succeeded` };
  }
  const error = describeError(ending.error);
  if (error.code === 'CANCELLED') {
    return { to: 'cancelled', change: { error }, event: 'job.cancelled', text: `${job.kind} was cancelled` };
  }
  const told = `${error.code}: ${error.message}`;
  const notBefore = retryTime(job, ending, context);
  return notBefore === undefined
    ? { to: 'failed', change: { error }, event: 'job.failed', text: `${job.kind} failed: ${told}` }
    : { to: 'queued', change: { error, notBefore }, event: 'job.retried', text: `${job.kind} is tried again: ${told}` };
}

/** When to try again; undefined when not at all. A stop of the process costs no attempt. */
function retryTime(job: Job, ending: Failure, { clock, kinds }: JobContext): Date | undefined {
  const now = clock.now();
  if (ending.interrupted && kinds[job.kind]?.whenInterrupted === 'requeue') return now;
  if (ending.error.retry === 'never' || job.attempt >= job.attempts) return undefined;
  const notBefore = new Date(now.getTime() + retryDelayMs(job));
  const startBy = requestTime(job, 'startBy');
  return startBy !== undefined && notBefore > startBy ? undefined : notBefore;
}
