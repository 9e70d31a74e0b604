import type { Job, JobError, NewJob } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import type { TidemarkError } from '../error.ts';
import type { MissedTimes } from '../schedule/index.ts';
import { backupUses } from './uses.ts';

/** When a scheduled run should happen. */
export interface RunTimes {
  readonly scheduledFor: Date;
  readonly startBy?: Date;
}

/** A backup of a plan. A person who waits for it wants to see the error and not a retry. */
export async function backupJob(plan: PlanSettings, trigger: Job['trigger'], times?: RunTimes): Promise<NewJob> {
  return {
    ...jobOf(plan, trigger),
    uses: await backupUses(plan),
    request: {
      plan: plan.name,
      backoffMs: plan.retry.backoffMs,
      ...(times === undefined ? {} : { scheduledFor: times.scheduledFor.toISOString() }),
      ...(times?.startBy === undefined ? {} : { startBy: times.startBy.toISOString() }),
    },
    attempts: trigger === 'manual' ? 1 : plan.retry.attempts,
  };
}

/** The record of runs that did not happen. */
export function missedJob(plan: PlanSettings, { first, last }: MissedTimes): NewJob {
  const request = { plan: plan.name, scheduledFor: first.toISOString(), through: last.toISOString() };
  return { ...jobOf(plan, 'schedule'), uses: [], request, attempts: 0, state: 'missed' };
}

function jobOf(plan: PlanSettings, trigger: Job['trigger']): Omit<NewJob, 'request' | 'attempts' | 'uses'> {
  const { name, source, destinations } = plan;
  return { kind: 'backup', trigger, source, plan: name, destination: destinations[0] };
}

/** A time in a job's request; undefined when it has none. */
export function requestTime(job: Job, field: 'scheduledFor' | 'startBy'): Date | undefined {
  const text = job.request[field];
  return typeof text === 'string' ? new Date(text) : undefined;
}

const longestBackoffMs = 6 * 3_600_000;

/** How long to wait after this attempt: the plan's back-off, doubled with every attempt. */
export function retryDelayMs(job: Job): number {
  const backoffMs = typeof job.request.backoffMs === 'number' ? job.request.backoffMs : 0;
  return Math.min(longestBackoffMs, backoffMs * 2 ** Math.max(0, job.attempt - 1));
}

/** What is kept of an error: no cause, no stack, and no password of a URL that a foreign message quotes. */
export function describeError(error: TidemarkError): JobError {
  const { code, subject, hint } = error;
  const message = error.message.replaceAll(/(:\/\/[^/\s:@]*):[^/\s@]*@/g, '$1:***@');
  return { code, message, ...(subject === undefined ? {} : { subject }), ...(hint === undefined ? {} : { hint }) };
}

/** The subject of events about a job. */
export function jobSubject({ id, plan, source, destination }: Pick<Job, 'id' | 'plan' | 'source' | 'destination'>) {
  if (plan !== undefined) return `plans.${plan}`;
  return source === '' && destination !== undefined ? `destinations.${destination}` : `job.${id}`;
}
