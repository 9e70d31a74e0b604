import type { Job, JobChange, JobState, Settlement } from '../catalog/index.ts';
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

interface Decision {
  readonly to: JobState;
  readonly change: JobChange;
  readonly event: EventKind;
  readonly text: string;
}

/**
 * Ends a running job or queues it again, keeps the plan's status and tells it as an event: all at once, or not at all. A
 * busy catalog is waited for until `isOver`: a finished backup must not count as lost because somebody else was writing.
 * What was stored before the job was cancelled or lost counts as done. Undefined when the job is not ours any more:
 * whoever took it settles it. Throws CATALOG_UNREADABLE when the catalog was deleted: nothing is done that nobody can see.
 */
export async function settle(
  job: Job,
  ending: Ending,
  context: JobContext,
  { isOver = () => false, unlessRenewed }: SettleTerms = {},
): Promise<Job | undefined> {
  await context.catalog.checkPresence();
  const stored = 'outcome' in ending ? ending : await insist(context, isOver, () => storedAlready(job, context));
  const decided = decide(job, stored ?? ending, context);
  return insist(context, isOver, () => transition(job, decided, context, unlessRenewed));
}

export interface SettleTerms {
  /** True when a busy catalog is not waited for any longer. */
  readonly isOver?: () => boolean;
  /** By another process than the one that runs the job: nothing is done when that one has renewed its lease meanwhile. */
  readonly unlessRenewed?: boolean;
}

async function storedAlready(job: Job, { catalog, kinds }: JobContext): Promise<Ending | undefined> {
  const outcome = await kinds[job.kind]?.stored?.(catalog, job);
  return outcome === undefined ? undefined : { outcome };
}

async function insist<Result>(
  { clock }: JobContext,
  isOver: () => boolean,
  call: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      if (!hasCode(thrown, 'CATALOG_BUSY') || isOver()) throw thrown;
      await clock.sleep(500);
    }
  }
}

async function transition(
  job: Job,
  decided: Decision,
  context: JobContext,
  unlessRenewed?: boolean,
): Promise<Job | undefined> {
  const { catalog, emit } = context;
  const settlement = (changed: Job) => settlementOf(changed, decided, context);
  try {
    const settled = await catalog.jobs.transition(job, decided.to, decided.change, { settlement, unlessRenewed });
    emit.log(settlement(settled).event);
    return settled;
  } catch (thrown) {
    if (hasCode(thrown, 'JOB_CONFLICT', 'JOB_LOST')) return undefined;
    throw thrown;
  }
}

/** By the names that the job has then: its plan may have been renamed while it ran. */
function settlementOf(settled: Job, { to, event, text }: Decision, { clock, kinds, emit }: JobContext): Settlement {
  const { state } = settled;
  const cancelled = to === 'queued' && state === 'cancelled';
  const told = emit.event(cancelled ? 'job.cancelled' : event, jobSubject(settled), text);
  const stamps = { succeeded: { lastSuccessAt: clock.now() }, failed: { lastFailureAt: clock.now() } };
  if (!kinds[settled.kind]?.countsForPlan || (state !== 'succeeded' && state !== 'failed')) return { event: told };
  return { event: told, status: stamps[state] };
}

function decide(job: Job, ending: Ending, context: JobContext): Decision {
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
  const again = anotherRun(job, ending, context);
  return again === undefined
    ? { to: 'failed', change: { error }, event: 'job.failed', text: `${job.kind} failed: ${told}` }
    : { to: 'queued', change: { error, ...again }, event: 'job.retried', text: `${job.kind} is tried again: ${told}` };
}

/** Undefined when it is not tried again. A stop of the process costs no attempt. */
function anotherRun(
  job: Job,
  ending: Failure,
  context: JobContext,
): Pick<JobChange, 'notBefore' | 'attempt'> | undefined {
  if (ending.interrupted && context.kinds[job.kind]?.whenInterrupted === 'requeue') {
    return { notBefore: context.clock.now(), attempt: job.attempt - 1 };
  }
  const notBefore = retryTime(job, ending, context);
  return notBefore === undefined ? undefined : { notBefore };
}

function retryTime(job: Job, ending: Failure, { clock }: JobContext): Date | undefined {
  const now = clock.now();
  if (ending.error.retry === 'never' || job.attempt >= job.attempts) return undefined;
  const notBefore = new Date(now.getTime() + retryDelayMs(job));
  const startBy = requestTime(job, 'startBy');
  return startBy !== undefined && notBefore > startBy ? undefined : notBefore;
}
