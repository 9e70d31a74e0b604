import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../../../core/catalog/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
import {
  backupJob,
  leaseMs,
  type Operation,
  restoreUses,
  runJob,
  submitAndFollow,
  takeOver,
} from '../../../core/job/index.ts';
import { backup } from '../../contracts/catalog-samples.ts';
import { waitFor } from '../../kit/process.ts';
import { type Bench, bench, claimed, contextOf, plan, untilStopped } from './job-kit.ts';

const never = new AbortController().signal;
const done: Operation = async () => ({ result: { here: true }, partial: false });
const refuse: Operation = () => Promise.reject(new TidemarkError('BUG', 'must not run here'));

async function daemonLives({ context, clock }: Bench, forMs: number): Promise<void> {
  const now = clock.now();
  await context.catalog.daemons.enter({
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
  const options = { signal: never, onChange: (job: Job) => states.push(job.state) } as const;
  const job = await submitAndFollow(await backupJob(plan(), 'manual'), context, done, options);
  assert.deepEqual([job.state, job.result], ['succeeded', { here: true }]);
  assert.equal(states.at(-1), 'succeeded');
});

test('with a daemon the job is its own, and followed to its end', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 3_600_000);
  const daemon = await contextOf(t, table.path, table.clock, 'daemon');
  const following = submitAndFollow(await backupJob(plan(), 'manual'), table.context, refuse, {
    signal: never,
  });
  const job = await waitFor('the job', () => daemon.catalog.jobs.claim({ owner: 'daemon', leaseMs }));
  await runJob(job, daemon, done, { signal: never });
  assert.equal((await following).state, 'succeeded');
});

test('a daemon that dies before it begins leaves the job to us', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 5_000);
  const job = await submitAndFollow(await backupJob(plan(), 'manual'), table.context, done, {
    signal: never,
  });
  assert.equal(job.state, 'succeeded');
});

test('a running job of the same kind and source is waited for, and said', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const rival = await claimed(other, await backupJob(plan({ name: 'hourly' }), 'manual'));
  const stop = new AbortController();
  const running = runJob(rival, other, untilStopped, { signal: stop.signal });
  const told: string[] = [];
  const following = submitAndFollow(await backupJob(plan(), 'manual'), context, done, {
    signal: never,
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
  const uses = await restoreUses({ source: 'shop', paths: [] });
  const rival = await claimed(other, {
    ...(await backupJob(plan({ source: 'old' }), 'manual')),
    kind: 'restore',
    uses,
  });
  const stop = new AbortController();
  const running = runJob(rival, other, untilStopped, { signal: stop.signal });
  const told: string[] = [];
  const options = { signal: never, onWait: (text: string) => told.push(text) } as const;
  const following = submitAndFollow(await backupJob(plan(), 'manual'), context, done, options);
  await waitFor('a word', () => told.length > 0);
  assert.deepEqual(told, [`waiting for job ${rival.id}, a restore that writes sources.shop`]);
  stop.abort(new TidemarkError('CANCELLED', 'enough'));
  await running;
  assert.equal((await following).state, 'succeeded');
});

test('a job of a process that died does not block ours for ever', async (t) => {
  const { context } = await bench(t);
  await claimed(context, await backupJob(plan({ retry: { attempts: 1, backoffMs: 0 } }), 'manual'));
  const job = await submitAndFollow(await backupJob(plan(), 'manual'), context, done, {
    signal: never,
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
  const options = { signal: interrupt.signal } as const;
  const here = await submitAndFollow(await backupJob(plan(), 'manual'), context, work, options);
  assert.deepEqual([here.state, here.error?.code], ['cancelled', 'CANCELLED']);
  await claimed(context, await backupJob(plan(), 'manual'));
  const second = new AbortController();
  const waiting = await submitAndFollow(await backupJob(plan(), 'manual'), context, refuse, {
    signal: second.signal,
    onWait: () => second.abort(),
  });
  assert.equal(waiting.state, 'cancelled');
});

test('a person in a hurry does not wait for work that does not let go, and its job does not stay running', async (t) => {
  const { context, clock } = await bench(t);
  const [interrupt, hurry] = [new AbortController(), new AbortController()];
  const deaf: Operation = () => new Promise(() => {});
  const following = submitAndFollow(await backupJob(plan(), 'manual'), context, deaf, {
    signal: interrupt.signal,
    hurry: hurry.signal,
  });
  await waitFor('the run', async () => (await context.catalog.jobs.list({ states: ['running'] })).length > 0);
  interrupt.abort();
  const askedAtMs = clock.monotonicMs();
  hurry.abort();
  const job = await following;
  assert.deepEqual([job.state, job.error?.code, job.lease], ['cancelled', 'CANCELLED', undefined]);
  assert.ok(clock.monotonicMs() - askedAtMs < 5_000);
});

test('work that lost its job and does not let go is left behind before somebody else may take the job', async (t) => {
  const { context, clock } = await bench(t);
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const renew = () => Promise.reject(new TidemarkError('CATALOG_BUSY', 'locked'));
  const stuck = { ...context, catalog: { ...context.catalog, jobs: { ...context.catalog.jobs, renew } } };
  const deaf: Operation = () => new Promise(() => {});
  await assert.rejects(runJob(job, stuck, deaf, { signal: never }), (error) => hasCode(error, 'JOB_LOST'));
  assert.ok(clock.now() < job.lease!.until);
});

test('a cancel that meets the end of the job is none, and no error', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 3_600_000);
  const { context, path, clock } = table;
  const daemon = await contextOf(t, path, clock, 'daemon');
  const interrupt = new AbortController();
  const endedFirst = async (id: string) => {
    const job = await daemon.catalog.jobs.claim({ owner: 'daemon', leaseMs, id });
    await runJob(job!, daemon, done, { signal: never });
    return context.catalog.jobs.requestCancel(id);
  };
  const jobs = { ...context.catalog.jobs, requestCancel: endedFirst };
  const meets = { ...context, catalog: { ...context.catalog, jobs } };
  const job = await submitAndFollow(await backupJob(plan(), 'manual'), meets, refuse, {
    signal: interrupt.signal,
    onWait: () => interrupt.abort(),
  });
  assert.deepEqual([job.state, job.result], ['succeeded', { here: true }]);
});

test('what was stored before the cancel or the loss of the job counts as done', async (t) => {
  const { context } = await bench(t);
  for (const code of ['CANCELLED', 'JOB_LOST'] as const) {
    const job = await claimed(context, await backupJob(plan(), 'manual'));
    const late: Operation = async () => {
      await context.catalog.backups.record(backup({ id: job.id, partial: code === 'JOB_LOST' }));
      throw new TidemarkError(code, 'too late');
    };
    const ended = await runJob(job, context, late, { signal: never });
    const expected = code === 'CANCELLED' ? 'succeeded' : 'partial';
    assert.deepEqual([ended.state, ended.result?.backup], [expected, job.id]);
  }
});

test('a job that waits is cancelled when its verb is gone, and kept while that is only standing still', async (t) => {
  const { context } = await bench(t);
  const waiting = await context.catalog.jobs.add({
    ...(await backupJob(plan(), 'manual')),
    waiter: { owner: 'verb', leaseMs },
  });
  const detached = await context.catalog.jobs.add(await backupJob(plan(), 'manual'));
  await context.clock.sleep(leaseMs + 1_000);
  assert.deepEqual(await takeOver({ ...context, fate: () => 'alive' }), []);
  const [dropped] = await takeOver(context);
  assert.deepEqual([dropped?.id, dropped?.state, dropped?.error?.code], [waiting.id, 'cancelled', 'CANCELLED']);
  assert.equal((await context.catalog.jobs.get(detached.id)).state, 'queued');
  const again = await context.catalog.jobs.add({
    ...(await backupJob(plan(), 'manual')),
    waiter: { owner: 'verb', leaseMs },
  });
  const [gone] = await takeOver({ ...context, fate: () => 'gone' });
  assert.equal(gone?.id, again.id, 'a process that is gone is not waited for');
});

test('a verb says that it still waits', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 3_600_000);
  const interrupt = new AbortController();
  const following = submitAndFollow(await backupJob(plan(), 'manual'), table.context, refuse, {
    signal: interrupt.signal,
  });
  await table.clock.sleep(2 * leaseMs);
  assert.deepEqual(await takeOver(await contextOf(t, table.path, table.clock, 'daemon')), []);
  interrupt.abort();
  assert.equal((await following).state, 'cancelled');
});

test('a catalog that is too busy to hear that a verb waits does not fail the verb', async (t) => {
  const table = await bench(t);
  await daemonLives(table, 3_600_000);
  const { context, path, clock } = table;
  let asked = 0;
  const keepWaiting = () => {
    asked++;
    return Promise.reject(new TidemarkError('CATALOG_BUSY', 'locked'));
  };
  const busy = { ...context, catalog: { ...context.catalog, jobs: { ...context.catalog.jobs, keepWaiting } } };
  const following = submitAndFollow(await backupJob(plan(), 'manual'), busy, refuse, {
    signal: never,
  });
  following.catch(() => {});
  await waitFor('the verb to say that it waits', () => asked > 0);
  const daemon = await contextOf(t, path, clock, 'daemon');
  const job = await daemon.catalog.jobs.claim({ owner: 'daemon', leaseMs });
  const [before] = [asked];
  const running = runJob(job!, daemon, untilStopped, { signal: AbortSignal.timeout(leaseMs / 8) });
  await running;
  assert.equal(asked, before, 'nobody waits for what runs');
  assert.ok(await following);
});
