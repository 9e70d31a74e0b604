import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { backupJob, type JobContext, leaseMs, type Operation, runJob, takeOver } from '../../../core/job/index.ts';
import { recordBackup } from '../../../core/operation/record-backup.ts';
import { backup } from '../../contracts/catalog-samples.ts';
import { waitFor } from '../../kit/process.ts';
import { bench, claimed, contextOf, eventsOf, plan, untilStopped } from './job-kit.ts';

const never = new AbortController().signal;
const done: Operation = async () => ({ result: { backup: 'x' }, partial: false });

function failing(error: Error): Operation {
  return () => Promise.reject(error);
}

test('a job that ends well has its result, the plan its success, and the list of events one more', async (t) => {
  const { context } = await bench(t);
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const ended = await runJob(job, context, done, { signal: never });
  assert.equal(ended.state, 'succeeded');
  assert.deepEqual(ended.result, { backup: 'x' });
  assert.ok((await context.catalog.plans.get('nightly')).lastSuccessAt);
  assert.deepEqual(await eventsOf(context.catalog), ['job.succeeded plans.nightly']);
});

test('a partial backup is not a success of the plan', async (t) => {
  const { context } = await bench(t);
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const work: Operation = async () => ({ result: {}, partial: true });
  assert.equal((await runJob(job, context, work, { signal: never })).state, 'partial');
  assert.equal((await context.catalog.plans.get('nightly')).lastSuccessAt, undefined);
});

test('an error that may go away is tried again after a back-off that doubles, then fails', async (t) => {
  const { context, clock } = await bench(t);
  const { catalog } = context;
  const work = failing(new TidemarkError('SOURCE_UNREACHABLE', 'no answer', { subject: 'sources.shop' }));
  const { id } = await catalog.jobs.add(await backupJob(plan(), 'schedule'));
  for (const backoffMs of [5_000, 10_000]) {
    const job = await waitFor('the next attempt', () => catalog.jobs.claim({ owner: 'one', leaseMs }));
    const failedAt = clock.now().getTime();
    const queued = await runJob(job, context, work, { signal: never });
    assert.equal(queued.state, 'queued');
    assert.equal(queued.error?.code, 'SOURCE_UNREACHABLE');
    assert.ok(queued.notBefore!.getTime() - failedAt >= backoffMs);
    assert.ok(queued.notBefore!.getTime() - clock.now().getTime() <= backoffMs);
    assert.equal(await catalog.jobs.claim({ owner: 'one', leaseMs }), undefined);
  }
  const last = await waitFor('the last attempt', () => catalog.jobs.claim({ owner: 'one', leaseMs }));
  const failed = await runJob(last, context, work, { signal: never });
  assert.deepEqual([failed.id, failed.state, failed.attempt], [id, 'failed', 3]);
  assert.ok((await catalog.plans.get('nightly')).lastFailureAt);
});

test('a retry that would start past the window fails at once', async (t) => {
  const { context, clock } = await bench(t);
  const now = clock.now();
  const times = { scheduledFor: now, startBy: new Date(now.getTime() + 2_000) };
  const job = await claimed(context, await backupJob(plan(), 'schedule', times));
  const work = failing(new TidemarkError('SOURCE_FAILED', 'gone'));
  assert.equal((await runJob(job, context, work, { signal: never })).state, 'failed');
});

test('an error that stays is not tried again, and a defect shows no password', async (t) => {
  const { context } = await bench(t);
  const denied = await claimed(context, await backupJob(plan(), 'schedule'));
  const work = failing(new TidemarkError('SOURCE_DENIED', 'no', { hint: 'Grant it.' }));
  const failed = await runJob(denied, context, work, { signal: never });
  assert.deepEqual(failed.error, { code: 'SOURCE_DENIED', message: 'no', hint: 'Grant it.' });
  const broken = await claimed(context, await backupJob(plan(), 'schedule'));
  const bug = failing(new Error('cannot open mysql://root:hunter2@db1/shop'));
  const { error } = await runJob(broken, context, bug, { signal: never });
  assert.equal(error?.code, 'BUG');
  assert.match(error.message, /mysql:\/\/root:\*\*\*@db1/);
});

test('progress reaches the catalog while the job runs', async (t) => {
  const { context } = await bench(t);
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const stop = new AbortController();
  const work: Operation = (one, run) => {
    run.progress.expect({ bytes: 100 });
    run.progress.step('reading shop.orders');
    run.progress.add({ bytes: 30, items: 1 });
    run.progress.add({ bytes: 12 });
    return untilStopped(one, run);
  };
  const running = runJob(job, context, work, { signal: stop.signal });
  const { progress } = await waitFor('progress', async () => {
    const seen = await context.catalog.jobs.get(job.id);
    return seen.progress === undefined ? undefined : seen;
  });
  const { at: _at, ...counts } = progress!;
  assert.deepEqual(counts, { step: 'reading shop.orders', doneBytes: 42, totalBytes: 100, doneItems: 1 });
  stop.abort(new TidemarkError('CANCELLED', 'enough'));
  assert.equal((await running).state, 'cancelled');
});

test('a cancel reaches the operation within two seconds, and the job ends as cancelled', async (t) => {
  const { context, clock } = await bench(t);
  const job = await claimed(context, await backupJob(plan(), 'schedule'));
  const running = runJob(job, context, untilStopped, { signal: never });
  const askedAtMs = clock.monotonicMs();
  await context.catalog.jobs.requestCancel(job.id);
  assert.equal((await running).state, 'cancelled');
  assert.ok(clock.monotonicMs() - askedAtMs < 4_000);
});

test('a stop of the process queues a backup again without costing an attempt, and fails a restore', async (t) => {
  const { context } = await bench(t);
  const stop = AbortSignal.abort(new TidemarkError('JOB_LOST', 'the daemon stops'));
  const backup = await claimed(context, await backupJob(plan({ retry: { attempts: 1, backoffMs: 0 } }), 'schedule'));
  assert.equal((await runJob(backup, context, untilStopped, { signal: stop })).state, 'queued');
  const restore = await claimed(context, { ...(await backupJob(plan(), 'manual')), kind: 'restore', plan: undefined });
  const failed = await runJob(restore, context, untilStopped, { signal: stop });
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'JOB_LOST']);
});

test('the lease outlives its first term while the work goes on', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const startedMs = clock.monotonicMs();
  const work: Operation = async () => {
    await clock.sleep(leaseMs + 10_000);
    return { result: {}, partial: false };
  };
  const running = runJob(job, context, work, { signal: never });
  await waitFor('the end of the first term', async () => {
    assert.deepEqual(await takeOver(other), []);
    return clock.monotonicMs() - startedMs > leaseMs + 6_000;
  });
  assert.equal((await running).state, 'succeeded');
});

test('when the lease cannot be renewed the work is stopped before another process can take it', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const job = await claimed(context, await backupJob(plan(), 'schedule'));
  const stuck: JobContext = {
    ...context,
    catalog: {
      ...context.catalog,
      jobs: { ...context.catalog.jobs, renew: () => clock.sleep(leaseMs + 5_000) as never },
    },
  };
  let stoppedAt: Date | undefined;
  const work: Operation = (one, run) => {
    run.signal.addEventListener('abort', () => {
      stoppedAt = clock.now();
    });
    return untilStopped(one, run);
  };
  const running = runJob(job, stuck, work, { signal: never });
  await waitFor('the stop', () => stoppedAt);
  assert.ok(stoppedAt! < job.lease!.until, `${stoppedAt?.toISOString()} is past ${job.lease!.until.toISOString()}`);
  assert.deepEqual((await takeOver(other)).length, 0);
  await running;
});

test('a process that lost its job does not change it', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const job = await claimed(context, await backupJob(plan(), 'schedule'));
  await clock.sleep(leaseMs + 1_000);
  const [queued] = await takeOver(other);
  assert.equal(queued?.state, 'queued');
  const again = await waitFor('the second claim', () => other.catalog.jobs.claim({ owner: 'two', leaseMs }));
  const seen = await runJob(job, context, done, { signal: never });
  assert.deepEqual([seen.state, seen.lease?.owner, seen.lease?.fence], ['running', 'two', again.lease!.fence]);
  assert.equal((await context.catalog.plans.get('nightly')).lastSuccessAt, undefined);
});

test('a backup that nobody could record is told also by a process that lost its job', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const job = await claimed(context, await backupJob(plan(), 'schedule'));
  const work: Operation = async () => {
    await takeOver({ ...other, fate: () => 'gone' });
    throw new TidemarkError('BACKUP_UNRECORDED', 'snapshot 0815 is stored and in no catalog');
  };
  await assert.rejects(runJob(job, context, work, { signal: never }), { code: 'BACKUP_UNRECORDED' });
  assert.equal((await other.catalog.jobs.get(job.id)).state, 'queued');
});

test('a dead process leaves a job that is taken over once, and failed when no attempt is left', async (t) => {
  const { context, path, clock } = await bench(t);
  const other = await contextOf(t, path, clock, 'two');
  const job = await claimed(context, await backupJob(plan({ retry: { attempts: 1, backoffMs: 0 } }), 'schedule'));
  assert.deepEqual(await takeOver(other), []);
  await clock.sleep(leaseMs + 1_000);
  const taken = await Promise.all([takeOver(context), takeOver(other)]);
  assert.deepEqual(
    taken.flat().map(({ id, state, error }) => [id, state, error?.code]),
    [[job.id, 'failed', 'JOB_LOST']],
  );
  assert.deepEqual(await eventsOf(context.catalog), ['job.failed plans.nightly']);
});

test('a plan that is renamed while its backup runs keeps the success, and the backup has the new names', async (t) => {
  const { context, path, clock } = await bench(t);
  const { catalog } = await contextOf(t, path, clock, 'two');
  const rename = (serial: number, ...names: [from: string, to: string][]) =>
    catalog.state.commit({
      ...{ expectedSerial: serial, put: [], remove: [] },
      rename: names.map(([from, to]) => ({ from, to })),
    });
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const work: Operation = async ({ id }) => {
    await rename(
      1,
      ['plans.nightly', 'plans.daily'],
      ['sources.shop', 'sources.store'],
      ['destinations.nas', 'destinations.disk'],
    );
    const { plan, source, destination } = await recordBackup(context, backup({ id }), never);
    return { result: { plan, source, destination }, partial: false };
  };
  const { state, result } = await runJob(job, context, work, { signal: never });
  assert.deepEqual([state, result], ['succeeded', { plan: 'daily', source: 'store', destination: 'disk' }]);
  const statuses = await catalog.plans.list();
  assert.deepEqual(
    statuses.map(({ plan, lastSuccessAt }) => [plan, lastSuccessAt !== undefined]),
    [['daily', true]],
  );
  assert.deepEqual(await eventsOf(catalog), ['job.succeeded plans.daily']);
  assert.equal((await catalog.backups.list({ plan: 'daily', source: 'store', destination: 'disk' })).length, 1);
  await rename(2, ['plans.daily', 'plans.nightly']);
  assert.equal((await catalog.plans.list()).length, 1);
});

test('a plan that is removed while its backup runs leaves no status for a later one of its name', async (t) => {
  const { context } = await bench(t);
  const { state, plans } = context.catalog;
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const work: Operation = async () => {
    await state.commit({ expectedSerial: 1, put: [], remove: ['plans.nightly'], rename: [] });
    return { result: {}, partial: false };
  };
  assert.equal((await runJob(job, context, work, { signal: never })).state, 'succeeded');
  assert.deepEqual(await plans.list(), []);
});

test('a job is settled whole or not at all, and then once the catalog can be written', async (t) => {
  const { context, path } = await bench(t);
  const { catalog } = context;
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  using damage = new DatabaseSync(path);
  damage.exec("create trigger no_event before insert on event begin select raise(abort, 'no'); end");
  await assert.rejects(runJob(job, context, done, { signal: never }), /^Error: no$/);
  assert.equal((await catalog.jobs.get(job.id)).state, 'running');
  assert.deepEqual(await catalog.plans.list(), []);
  damage.exec('drop trigger no_event');
  assert.equal((await runJob(job, context, done, { signal: never })).state, 'succeeded');
  assert.ok((await catalog.plans.get('nightly')).lastSuccessAt);
  assert.deepEqual(await eventsOf(catalog), ['job.succeeded plans.nightly']);
});

test('runs that were interrupted leave all attempts for those that fail', async (t) => {
  const { context } = await bench(t);
  const stop = AbortSignal.abort(new TidemarkError('JOB_LOST', 'the daemon stops'));
  const { id } = await context.catalog.jobs.add(
    await backupJob(plan({ retry: { attempts: 2, backoffMs: 0 } }), 'schedule'),
  );
  const again = () => waitFor('a run', () => context.catalog.jobs.claim({ owner: 'one', leaseMs, id }));
  for (const _ of [1, 2]) await runJob(await again(), context, untilStopped, { signal: stop });
  const work = failing(new TidemarkError('SOURCE_UNREACHABLE', 'no answer'));
  const states: string[] = [];
  for (const _ of [1, 2]) states.push((await runJob(await again(), context, work, { signal: never })).state);
  assert.deepEqual(states, ['queued', 'failed']);
});

test('a clock that is set forward or back, here or elsewhere, loses no job', async (t) => {
  const { path, clock } = await bench(t);
  let stepMs = 0;
  const stepping = { ...clock, now: () => new Date(clock.now().getTime() + stepMs) };
  const context = await contextOf(t, path, stepping, 'here');
  const other = await contextOf(t, path, { ...clock, now: () => new Date(clock.now().getTime() + 90_000) }, 'other');
  const job = await claimed(context, await backupJob(plan(), 'manual'));
  const work: Operation = async (_job, { signal }) => {
    for (const step of [60_000, -3_600_000]) {
      stepMs = step;
      assert.deepEqual(await Promise.all([takeOver(context), takeOver(other)]), [[], []]);
      await clock.sleep(3_000, signal);
    }
    return { result: {}, partial: false };
  };
  assert.equal((await runJob(job, context, work, { signal: never })).state, 'succeeded');
});

test('a process that is to end does not wait for a locked catalog to take a job over', async (t) => {
  const { context, path } = await bench(t);
  await claimed(context, await backupJob(plan(), 'manual'));
  await using catalog = await openSqliteCatalog(path, context.clock, { busyTimeoutMs: 50 });
  using holder = new DatabaseSync(path);
  holder.exec('begin immediate');
  const heir = { ...context, catalog, owner: 'two', fate: () => 'gone' as const };
  const taking = takeOver(heir, AbortSignal.timeout(300));
  await assert.rejects(Promise.race([taking, context.clock.sleep(40_000)]), { code: 'CATALOG_BUSY' });
});
