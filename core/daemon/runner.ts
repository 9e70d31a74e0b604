import type { Job } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { asTidemarkError, TidemarkError } from '../error.ts';
import { leaseMs, marginMs, requestTime, runJob, takeOver } from '../job/index.ts';
import type { Daemon } from './context.ts';
import { goRound, type Loop } from './loop.ts';
import { outageOf, suspendPlans } from './suspension.ts';

/** A source that answers a probe and fails every backup must not be tried for ever within one window. */
const mostGivenBack = 3;

/**
 * Runs queued jobs, `concurrency` at a time beside those of kinds that live long, and takes over those of dead processes.
 * After the signal it starts none, lets the running ones go on for `drainMs`, or until `stop` fires, then interrupts them.
 */
export function runnerLoop(daemon: Daemon, stop: AbortSignal): Loop {
  const running = new Map<Promise<void>, Job>();
  const interrupt = new AbortController();
  return {
    name: 'runner',
    run: async (signal) => {
      await goRound(daemon, { name: 'runner', everyMs: 1_000, signal }, async () => {
        await takeOver(daemon.jobs, signal);
        let started = true;
        while (started && !signal.aborted) started = await startNext(daemon, running, interrupt.signal);
      }).finally(() => drainJobs(daemon, [...running.keys()], interrupt, stop));
    },
  };
}

async function startNext(daemon: Daemon, running: Map<Promise<void>, Job>, interrupt: AbortSignal): Promise<boolean> {
  const { catalog, identity } = daemon.context;
  const kinds = kindsWithSlot(daemon, [...running.values()]);
  if (kinds.length === 0) return false;
  const job = await catalog.jobs.claim({ owner: identity.owner, leaseMs, kinds });
  if (job === undefined) return false;
  const work = runOne(daemon, job, interrupt).finally(() => {
    running.delete(work);
    daemon.bell.ring();
  });
  running.set(work, job);
  return true;
}

function kindsWithSlot({ context: { kinds, concurrency } }: Daemon, running: readonly Job[]): string[] {
  const sharing = running.filter(({ kind }) => kinds[kind]?.slots === 'shared').length;
  return Object.keys(kinds).filter((kind) => kinds[kind]?.slots === 'own' || sharing < concurrency);
}

/** Never rejects: when the catalog fails, the lease ends and the job is taken over. */
async function runOne(daemon: Daemon, job: Job, interrupt: AbortSignal): Promise<void> {
  const { logger, kinds, operation } = daemon.context;
  const topic = job.source || job.destination;
  logger.info({ job: job.id, plan: job.plan, attempt: job.attempt }, `${job.kind} of ${topic} starts`);
  try {
    const ended = await runJob(job, daemon.jobs, operation, { signal: interrupt });
    logger.info({ job: job.id, plan: job.plan, state: ended.state }, `${job.kind} of ${topic} is ${ended.state}`);
    if (kinds[ended.kind]?.countsForPlan) await reactToOutage(daemon, ended);
  } catch (thrown) {
    logger.error({ err: asTidemarkError(thrown), job: job.id }, 'the job could not be settled');
  }
}

/**
 * A backup that found its source or destination down suspends the plans that need it. When no attempt is left, the
 * scheduled time is given back, so that the run is caught up, once, when the plan resumes.
 */
async function reactToOutage(daemon: Daemon, job: Job): Promise<void> {
  const outage = outageOf(job);
  if (outage === undefined || (job.state !== 'failed' && job.state !== 'queued')) return;
  await suspendPlans(daemon, outage);
  const scheduledFor = requestTime(job, 'scheduledFor');
  if (job.plan === undefined || scheduledFor === undefined) return;
  if (job.state !== 'failed' || job.trigger !== 'schedule') return;
  const { plans, jobs } = daemon.context.catalog;
  const { scheduledThrough: from } = await plans.get(job.plan);
  if (from?.getTime() !== scheduledFor.getTime()) return;
  const failed = await jobs.list({ plan: job.plan, states: ['failed'], limit: mostGivenBack });
  if (failed.filter((one) => one.request.scheduledFor === job.request.scheduledFor).length === mostGivenBack) return;
  await plans.schedule({ plan: job.plan, from, to: new Date(scheduledFor.getTime() - 1), jobs: [] });
}

async function drainJobs(
  { context }: Daemon,
  running: readonly Promise<void>[],
  interrupt: AbortController,
  stop: AbortSignal,
): Promise<void> {
  if (running.length === 0) return;
  context.logger.info({ running: running.length }, 'waiting for running jobs');
  const drained = new AbortController();
  const ended = Promise.all(running).then(() => drained.abort());
  await pause(context.clock, context.drainMs, AbortSignal.any([stop, drained.signal]));
  interrupt.abort(
    new TidemarkError('JOB_LOST', 'the daemon stopped before the job ended', {
      hint: 'Backups are queued again and go on when a daemon runs. Start other jobs again.',
    }),
  );
  await Promise.race([ended, pause(context.clock, marginMs, drained.signal)]);
}
