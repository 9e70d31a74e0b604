import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../../../core/catalog/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
import { backupJob, leaseMs, type Operation, restoreUses, runJob, submitAndFollow } from '../../../core/job/index.ts';
import { waitFor } from '../../kit/process.ts';
import { type Bench, bench, claimed, contextOf, plan, untilStopped } from './job-kit.ts';

const never = new AbortController().signal;
const done: Operation = async () => ({ result: { here: true }, partial: false });
const refuse: Operation = () => Promise.reject(new TidemarkError('BUG', 'must not run here'));

async function daemonLives({ context, clock }: Bench, forMs: number): Promise<void> {
  const now = clock.now();
  await context.catalog.daemons.beat({
    owner: 'daemon',
    pid: 1,
    host: 'db1',
    version: '0',
    startedAt: now,
    until: new Date(now.getTime() + forMs),
    configuration: { state: 'applied', text: '', at: now },
  });
}

test('with no daemon the job runs here', async (t) => {
  const { context } = await bench(t);
  const states: string[] = [];
  const options = { signal: never, whenBusy: 'wait', onChange: (job: Job) => states.push(job.state) } as const;
  const job = await submitAndFollow(backupJob(plan(), 'manual'), context, done, options);
  assert.deepEqual([job.state, job.result], ['succeeded', { here: true }]);
  assert.equal(states.at(-1), 'succeeded');
});

test('with a daemon the job is its own, and followed to its end', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 3_600_000);
  const daemon = await contextOf(t, table.path, table.clock, 'daemon');
  const following = submitAndFollow(backupJob(plan(), 'manual'), table.context, refuse, {
    signal: never,
    whenBusy: 'wait',
  });
  const job = await waitFor('the job', () => daemon.catalog.jobs.claim({ owner: 'daemon', leaseMs }));
  await runJob(job, daemon, done, { signal: never });
  assert.equal((await following).state, 'succeeded');
});

test('a daemon that dies before it begins leaves the job to us', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 5_000);
  const job = await submitAndFollow(backupJob(plan(), 'manual'), table.context, done, {
    signal: never,
    whenBusy: 'wait',
  });
  assert.equal(job.state, 'succeeded');
});

test('a running job of the same kind and source is waited for, and said', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const rival = await claimed(other, backupJob(plan({ name: 'hourly' }), 'manual'));
  const stop = new AbortController();
  const running = runJob(rival, other, untilStopped, { signal: stop.signal });
  const told: string[] = [];
  const following = submitAndFollow(backupJob(plan(), 'manual'), context, done, {
    signal: never,
    whenBusy: 'wait',
    onWait: (text) => told.push(text),
  });
  await waitFor('a word', () => told.length > 0);
  assert.deepEqual(told, [`waiting for job ${rival.id}, a backup that writes logical backups of sources.shop`]);
  stop.abort(new TidemarkError('CANCELLED', 'enough'));
  await running;
  assert.equal((await following).state, 'succeeded');
});

test('a restore into the source is waited for by its backup, and said', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const uses = await restoreUses({ source: 'shop' });
  const rival = await claimed(other, { ...backupJob(plan({ source: 'old' }), 'manual'), kind: 'restore', uses });
  const stop = new AbortController();
  const running = runJob(rival, other, untilStopped, { signal: stop.signal });
  const told: string[] = [];
  const options = { signal: never, whenBusy: 'wait', onWait: (text: string) => told.push(text) } as const;
  const following = submitAndFollow(backupJob(plan(), 'manual'), context, done, options);
  await waitFor('a word', () => told.length > 0);
  assert.deepEqual(told, [`waiting for job ${rival.id}, a restore that writes sources.shop`]);
  stop.abort(new TidemarkError('CANCELLED', 'enough'));
  await running;
  assert.equal((await following).state, 'succeeded');
});

test('or refused, with nothing queued', async (t) => {
  const { context } = await bench(t);
  const rival = await claimed(context, backupJob(plan(), 'manual'));
  const following = submitAndFollow(backupJob(plan(), 'manual'), context, done, {
    signal: never,
    whenBusy: 'fail',
  });
  await assert.rejects(following, (error) => hasCode(error, 'JOB_CONFLICT') && error.message.includes(rival.id));
  assert.equal((await context.catalog.jobs.list()).length, 1);
});

test('a job of a process that died does not block ours for ever', async (t) => {
  const { context } = await bench(t);
  await claimed(context, backupJob(plan({ retry: { attempts: 1, backoffMs: 0 } }), 'manual'));
  const job = await submitAndFollow(backupJob(plan(), 'manual'), context, done, {
    signal: never,
    whenBusy: 'wait',
  });
  assert.equal(job.state, 'succeeded');
});

test('an interrupt cancels the job that runs here, and one that waits', async (t) => {
  const { context } = await bench(t);
  const interrupt = new AbortController();
  const work: Operation = (job, run) => {
    queueMicrotask(() => interrupt.abort());
    return untilStopped(job, run);
  };
  const options = { signal: interrupt.signal, whenBusy: 'wait' } as const;
  const here = await submitAndFollow(backupJob(plan(), 'manual'), context, work, options);
  assert.deepEqual([here.state, here.error?.code], ['cancelled', 'CANCELLED']);
  await claimed(context, backupJob(plan(), 'manual'));
  const second = new AbortController();
  const waiting = await submitAndFollow(backupJob(plan(), 'manual'), context, refuse, {
    signal: second.signal,
    whenBusy: 'wait',
    onWait: () => second.abort(),
  });
  assert.equal(waiting.state, 'cancelled');
});
