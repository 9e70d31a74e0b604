import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import type { DaemonRecord, Job } from '../../../core/catalog/index.ts';
import { enterCatalog } from '../../../core/daemon/enter.ts';
import type { DaemonContext } from '../../../core/daemon/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
import { backupJob, leaseMs, type Operation } from '../../../core/job/index.ts';
import { createLogger } from '../../../core/observe/index.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { waitFor } from '../../kit/process.ts';
import { plan, untilStopped } from '../job/job-kit.ts';
import { applyByHand, dueNow, eventKinds, home, makeDue, startDaemon, yaml } from './daemon-kit.ts';

const everySecond = { schedule: '* * * * * *' };
const never = { schedule: '0 0 1 1 *' };

function scheduledFor(jobs: readonly Job[]): unknown[] {
  return jobs.filter(({ state }) => state !== 'missed').map(({ request }) => request.scheduledFor);
}

test('a daemon applies its configuration, says that it lives, and leaves when it is drained', async (t) => {
  const at = await home(t, yaml({ nightly: never }));
  const daemon = await startDaemon(t, at);
  const [record] = await waitFor('the record', async () => {
    const alive = await at.catalog.daemons.alive(() => 'unknown');
    return alive.length > 0 ? alive : undefined;
  });
  assert.deepEqual([record?.owner, record?.configuration.state], ['one', 'applied']);
  assert.ok((await at.catalog.state.read()).resources.has('plans.nightly'));
  await daemon.drain();
  assert.deepEqual(await at.catalog.daemons.alive(() => 'unknown'), []);
  assert.deepEqual(await eventKinds(at.catalog), [
    'catalog.new',
    'daemon.started',
    'change.applied',
    'config.applied',
    'daemon.stopped',
  ]);
  await assert.rejects(fetch(`${daemon.url}/healthz`));
});

test('HTTP answers three paths, and only questions', async (t) => {
  const { url } = await startDaemon(t, await home(t, yaml({ nightly: never })));
  const health = await fetch(`${url}/healthz`);
  assert.deepEqual([health.status, await health.text()], [200, 'ok\n']);
  assert.equal((await fetch(`${url}/readyz?x=1`)).status, 200);
  assert.equal((await fetch(`${url}/`)).status, 404);
  assert.equal((await fetch(`${url}/healthz/x`)).status, 404);
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^tidemark_config_state\{state="applied"\} 1$/m);
  assert.match(metrics, /^tidemark_plan_next_run_timestamp_seconds\{plan="nightly",source="nightly"\} \d+$/m);
  assert.match(metrics, /^process_resident_memory_bytes \d+$/m);
});

test('an address that is taken is a clear refusal to start', async (t) => {
  const at = await home(t, yaml({ nightly: never }));
  const { url } = await startDaemon(t, at);
  const other = await home(t, yaml({ nightly: never }));
  const second = await startDaemon(t, other, { change: () => ({ listen: url.replace('http://', '') }) });
  await assert.rejects(second.ended, { code: 'USAGE', message: /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/ });
  assert.deepEqual(await other.catalog.daemons.alive(() => 'unknown'), []);
});

test('old jobs and events are forgotten, and nothing that status needs', async (t) => {
  const at = await home(t, yaml({ nightly: never }));
  const old = { ...(await backupJob(plan(), 'schedule')), state: 'missed' } as const;
  const jobs = Array.from({ length: 700 }, () => old);
  await at.catalog.plans.schedule({ plan: 'old', from: undefined, to: at.clock.now(), jobs });
  const waiting = await at.catalog.jobs.add({ ...(await backupJob(plan(), 'manual')), kind: 'unknown to this daemon' });
  await startDaemon(t, at, { change: () => ({ keep: { jobsMs: 0, eventsMs: 0, most: 1000 } }) });
  const left = await waitFor('them to go', async () => {
    const jobs = await at.catalog.jobs.list({ limit: 1000 });
    return jobs.length > 2 ? undefined : jobs;
  });
  assert.deepEqual(
    [left.map(({ state }) => state).sort(), left.some(({ id }) => id === waiting.id)],
    [['missed', 'queued'], true],
  );
});

test('scheduled runs happen, each once', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  await startDaemon(t, at);
  const jobs = await waitFor('five runs', async () => {
    const ended = await at.catalog.jobs.list({ states: ['succeeded'] });
    return ended.length >= 5 ? ended : undefined;
  });
  assert.equal(new Set(scheduledFor(jobs)).size, jobs.length);
  assert.ok(jobs.every(({ plan }) => plan === 'often'));
});

test('of daemons that start on one catalog at once, one runs and the others are refused', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  const daemons = await Promise.all(['one', 'two', 'three'].map((owner) => startDaemon(t, at, { owner })));
  const refusals: unknown[] = [];
  for (const { ended } of daemons) void ended.catch((thrown) => refusals.push(thrown));
  await waitFor('two refusals', () => refusals.length === 2);
  const [alive] = await at.catalog.daemons.alive(() => 'unknown');
  for (const refusal of refusals) {
    assert.ok(hasCode(refusal, 'DAEMON_RUNNING'));
    assert.match(refusal.message, /process \d+ on test since 2026-03-01T.*\((one|two|three)\)/);
    assert.match(refusal.message, new RegExp(`\\(${alive!.owner}\\)`));
  }
  const jobs = await waitFor('runs', async () => {
    const ended = await at.catalog.jobs.list({ states: ['succeeded'] });
    return ended.length >= 3 ? ended : undefined;
  });
  assert.equal(new Set(scheduledFor(jobs)).size, jobs.length);
  assert.equal((await eventKinds(at.catalog)).filter((kind) => kind === 'daemon.started').length, 1);
});

test('a daemon whose record is not renewed is waited for, then replaced; one that sees it taken ends', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  let stoodStill = false;
  const first = await startDaemon(t, at, {
    owner: 'stands still',
    change: ({ catalog }) => {
      const beat = async (daemon: DaemonRecord) => {
        if (!stoodStill) return catalog.daemons.beat(daemon);
      };
      return { catalog: { ...catalog, daemons: { ...catalog.daemons, beat } } };
    },
  });
  stoodStill = true;
  const next = await startDaemon(t, at, { owner: 'next' });
  assert.equal((await at.catalog.daemons.alive(() => 'unknown'))[0]?.owner, 'next');
  stoodStill = false;
  await assert.rejects(first.ended, { code: 'DAEMON_RUNNING' });
  await next.drain();
});

test('a daemon whose catalog is deleted is neither ready nor healthy, interrupts its jobs, and ends', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  let interrupted: unknown;
  const backup: Operation = (job, run) => {
    run.signal.addEventListener('abort', () => {
      interrupted = run.signal.reason;
    });
    return untilStopped(job, { ...run, signal: AbortSignal.any([run.signal]) }).finally(() => at.clock.sleep(10_000));
  };
  const daemon = await startDaemon(t, at, { backup, change: () => ({ drainMs: 3_600_000 }) });
  await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length > 0);
  await rm(at.catalogPath);
  const answers = await waitFor('it to be noticed', async () => {
    const healthy = await fetch(`${daemon.url}/healthz`);
    return healthy.status === 503 ? [(await fetch(`${daemon.url}/readyz`)).status, await healthy.text()] : undefined;
  });
  assert.deepEqual(answers, [503, 'not working: heartbeat\n']);
  await assert.rejects(daemon.ended, { code: 'CATALOG_UNREADABLE', message: /was deleted while it was open/ });
  assert.ok(hasCode(interrupted, 'JOB_LOST'));
  assert.ok(daemon.log.some((line) => line.includes('a part of the daemon died') && line.includes('was deleted')));
});

test('no more jobs run at a time than the limit says', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const at = await home(t, yaml(Object.fromEntries(names.map((name) => [name, everySecond]))));
  let [running, most, runs] = [0, 0, 0];
  const backup: Operation = async () => {
    running += 1;
    most = Math.max(most, running);
    await at.clock.sleep(2_000);
    running -= 1;
    runs += 1;
    return { result: {}, partial: false };
  };
  await startDaemon(t, at, { backup });
  await waitFor('some runs', () => runs >= 8);
  assert.equal(most, 2);
});

test('a paused plan does not run, and does once it is resumed', async (t) => {
  const at = await home(t, yaml({ often: everySecond, other: everySecond }));
  await applyByHand(at);
  await at.catalog.plans.update('often', { pausedAt: at.clock.now() });
  await startDaemon(t, at);
  await waitFor('runs of the other', async () => (await at.catalog.jobs.list({ plan: 'other' })).length >= 3);
  assert.deepEqual(await at.catalog.jobs.list({ plan: 'often' }), []);
  await at.catalog.plans.update('often', { pausedAt: null });
  await waitFor('a run', async () => (await at.catalog.jobs.list({ plan: 'often' })).length > 0);
});

test('a plan that is paused while its source is asked does not run', async (t) => {
  const at = await home(t, yaml({ nightly: dueNow }));
  await makeDue(at, 'nightly');
  let asked = false;
  const answer = Promise.withResolvers<void>();
  const probeSource = () => {
    asked = true;
    return answer.promise;
  };
  await startDaemon(t, at, { change: () => ({ probeSource }) });
  await waitFor('the question', () => asked);
  await at.catalog.plans.update('nightly', { pausedAt: at.clock.now() });
  answer.resolve();
  await at.clock.sleep(5_000);
  assert.deepEqual(await at.catalog.jobs.list({ states: ['queued', 'running', 'succeeded'] }), []);
});

test('a job of a process that died is tried again by the next daemon', async (t) => {
  const at = await home(t, yaml({ nightly: never }));
  const { id } = await at.catalog.jobs.add(
    await backupJob(plan({ retry: { attempts: 2, backoffMs: 1_000 } }), 'schedule'),
  );
  await at.catalog.jobs.claim({ owner: 'dead', leaseMs, id });
  await startDaemon(t, at);
  const job = await waitFor('the job', async () => {
    const seen = await at.catalog.jobs.get(id);
    return seen.state === 'succeeded' ? seen : undefined;
  });
  assert.equal(job.attempt, 2);
  assert.ok((await eventKinds(at.catalog)).includes('job.retried'));
});

test('draining lets a running job end and starts no other', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  let started = 0;
  const backup: Operation = async (_job, { signal }) => {
    started += 1;
    await at.clock.sleep(10_000, signal);
    return { result: {}, partial: false };
  };
  const daemon = await startDaemon(t, at, { backup });
  await waitFor('the run', () => started > 0);
  await daemon.drain();
  assert.equal(started, 1);
  assert.equal((await at.catalog.jobs.list({ states: ['succeeded'] })).length, 1);
});

test('a job that does not end in time goes back into the queue, with nobody holding it', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  const daemon = await startDaemon(t, at, { backup: untilStopped });
  await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length > 0);
  const startedMs = at.clock.monotonicMs();
  await daemon.drain();
  assert.ok(at.clock.monotonicMs() - startedMs >= 30_000);
  const jobs = await at.catalog.jobs.list({ states: ['queued', 'running'] });
  assert.deepEqual(
    jobs.map(({ state, lease }) => [state, lease]),
    [['queued', undefined]],
  );
});

test('while jobs run on after the signal to end, no other daemon takes the place', async (t) => {
  const at = await home(t, yaml({ often: everySecond }), fastClock(30));
  const daemon = await startDaemon(t, at, { backup: untilStopped, change: () => ({ drainMs: 60_000 }) });
  await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length > 0);
  const drained = daemon.drain();
  await at.clock.sleep(40_000);
  const [alive] = await at.catalog.daemons.alive(() => 'unknown');
  assert.equal(alive?.owner, 'one');
  await drained;
  assert.deepEqual(await at.catalog.daemons.alive(() => 'unknown'), []);
});

test('a second signal does not wait', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  const daemon = await startDaemon(t, at, { backup: untilStopped, change: () => ({ drainMs: 3_600_000 }) });
  await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length > 0);
  const startedMs = performance.now();
  await daemon.stop();
  assert.ok(performance.now() - startedMs < 5_000);
});

test('an operation that does not let go is left behind, and the daemon ends', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  const deaf: Operation = () =>
    new Promise((resolve) => setTimeout(() => resolve({ result: {}, partial: false }), 2_000));
  const daemon = await startDaemon(t, at, { backup: deaf });
  await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length > 0);
  const startedMs = at.clock.monotonicMs();
  await daemon.stop();
  assert.ok(at.clock.monotonicMs() - startedMs < 25_000);
});

test('a loop that dies makes the daemon end with its error, after telling', async (t) => {
  const at = await home(t, yaml({ often: everySecond }));
  const broken = new TidemarkError('CATALOG_UNREADABLE', 'disk gone');
  let breaks = false;
  const daemon = await startDaemon(t, at, {
    change: ({ catalog }) => {
      const list = () => (breaks ? Promise.reject(broken) : catalog.plans.list());
      return { catalog: { ...catalog, plans: { ...catalog.plans, list } } };
    },
  });
  breaks = true;
  await assert.rejects(daemon.ended, { code: 'CATALOG_UNREADABLE' });
  const [event] = await at.catalog.events.list({ kind: 'daemon.failed' });
  assert.match(event?.text ?? '', /CATALOG_UNREADABLE: disk gone/);
});

test('a daemon that had to wait for its place enters with a record as of then', async (t) => {
  const at = await home(t, yaml({ nightly: { schedule: '0 0 1 1 *' } }), fastClock(10));
  const recordFor = (owner: string) => {
    const now = at.clock.now();
    const until = new Date(now.getTime() + 20_000);
    const configuration = { state: 'applied', text: '', at: now } as const;
    return { owner, pid: 1, host: 'elsewhere', version: '0', startedAt: now, until, configuration };
  };
  assert.equal(await at.catalog.daemons.enter(recordFor('silent')), undefined);
  const logger = createLogger({ stream: { write: () => {} }, level: 'error' });
  const context = { catalog: at.catalog, clock: at.clock, logger, fate: () => 'unknown' } as unknown as DaemonContext;
  await enterCatalog(context, () => recordFor('next'), new AbortController().signal);
  const [record] = await at.catalog.daemons.alive(() => 'unknown');
  assert.equal(record?.owner, 'next');
  assert.ok(record.until.getTime() - at.clock.now().getTime() > 10_000, 'it is alive until its first beat is late');
});
