import assert from 'node:assert/strict';
import { closeSync, constants, openSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Probes } from '../../../core/change/index.ts';
import { createReconcile } from '../../../core/daemon/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { backupJob, type Operation } from '../../../core/job/index.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { runOk, waitFor } from '../../kit/process.ts';
import { plan } from '../job/job-kit.ts';
import { applyByHand, dueNow, home, loadFrom, makeDue, probes, replaceFile, startDaemon, yaml } from './daemon-kit.ts';

const often = { schedule: '*/5 * * * * *', source: 'shop' };

function unreachable(): TidemarkError {
  return new TidemarkError('SOURCE_UNREACHABLE', 'connection refused', { subject: 'sources.shop' });
}

test('a source that is down suspends its scheduled plans, and they resume by themselves', async (t) => {
  const at = await home(t, yaml({ often, manual: { source: 'shop' }, other: { schedule: '*/5 * * * * *' } }));
  let down = true;
  const probeSource = async (name: string) => {
    if (down && name === 'shop') throw unreachable();
  };
  const { url } = await startDaemon(t, at, { change: () => ({ probeSource }) });
  await waitFor('the suspension', async () => (await at.catalog.plans.get('often')).suspended);
  const { suspended } = await at.catalog.plans.get('often');
  assert.deepEqual([suspended?.reason, suspended?.text], ['source-down', 'connection refused']);
  assert.equal((await at.catalog.plans.get('manual')).suspended, undefined);
  await waitFor('runs of the other', async () => (await at.catalog.jobs.list({ plan: 'other' })).length >= 2);
  assert.deepEqual(await at.catalog.jobs.list({ plan: 'often' }), []);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^tidemark_source_up\{source="shop"\} 0$/m);
  down = false;
  await waitFor('a run', async () => (await at.catalog.jobs.list({ plan: 'often', states: ['succeeded'] })).length > 0);
  assert.equal((await at.catalog.plans.get('often')).suspended, undefined);
  const events = await at.catalog.events.list({ subject: 'plans.often' });
  assert.ok(events.some(({ kind, text }) => kind === 'plan.resumed' && text === 'source shop answers again'));
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^tidemark_source_up\{source="shop"\} 1$/m);
});

test('a destination that is down does the same to all plans that write to it', async (t) => {
  const at = await home(t, yaml({ often, other: { schedule: '*/5 * * * * *' } }));
  let down = true;
  const probeDestination = async () => {
    if (down) throw new TidemarkError('DESTINATION_UNREACHABLE', 'not mounted');
  };
  await startDaemon(t, at, { change: () => ({ probeDestination }) });
  for (const name of ['often', 'other']) {
    await waitFor(
      'the suspension',
      async () => (await at.catalog.plans.get(name)).suspended?.reason === 'destination-down',
    );
  }
  assert.deepEqual(await at.catalog.jobs.list(), []);
  down = false;
  await waitFor('runs', async () => (await at.catalog.jobs.list({ states: ['succeeded'] })).length >= 2);
});

test('a run that fails because the source went down is caught up, once, when it is back', async (t) => {
  const at = await home(t, yaml({ yearly: { ...dueNow, source: 'shop' } }));
  await makeDue(at, 'yearly');
  let [down, runs] = [true, 0];
  const backup: Operation = async () => {
    runs += 1;
    if (down) throw unreachable();
    return { result: {}, partial: false };
  };
  const probeSource = async () => {
    if (down && runs > 0) throw unreachable();
  };
  await startDaemon(t, at, { backup, change: () => ({ probeSource }) });
  await waitFor('the suspension', async () => (await at.catalog.plans.get('yearly')).suspended);
  const [failed] = await waitFor('the failure', () => at.catalog.jobs.list({ states: ['failed'] }));
  assert.equal(failed?.error?.code, 'SOURCE_UNREACHABLE');
  down = false;
  const done = await waitFor('the run', async () => (await at.catalog.jobs.list({ states: ['succeeded'] }))[0]);
  assert.equal(done.request.scheduledFor, failed?.request.scheduledFor);
  assert.equal((await at.catalog.jobs.list()).length, 2);
});

test('a source that answers with a refusal is not down: the run says what is wrong', async (t) => {
  const at = await home(t, yaml({ often }));
  const denied = new TidemarkError('SOURCE_DENIED', 'wrong password');
  const refuse = () => Promise.reject(denied);
  await startDaemon(t, at, { backup: refuse, change: () => ({ probeSource: refuse }) });
  await waitFor('the failure', async () => (await at.catalog.jobs.list({ states: ['failed'] })).length > 0);
  assert.equal((await at.catalog.plans.get('often')).suspended, undefined);
});

test('a manual run of a source that is down fails with the reason', async (t) => {
  const at = await home(t, yaml({ manual: { source: 'shop' } }));
  await startDaemon(t, at, { backup: () => Promise.reject(unreachable()) });
  const { id } = await at.catalog.jobs.add(await backupJob(plan({ name: 'manual' }), 'manual'));
  const job = await waitFor('the failure', async () => {
    const seen = await at.catalog.jobs.get(id);
    return seen.state === 'failed' ? seen : undefined;
  });
  assert.deepEqual([job.error?.code, job.error?.message], ['SOURCE_UNREACHABLE', 'connection refused']);
  assert.equal((await at.catalog.plans.get('manual')).suspended, undefined);
});

test('a source that says nothing, and a driver that does not mind its signal, hold up nobody', async (t) => {
  const at = await home(t, yaml({ often, other: { schedule: '*/5 * * * * *' } }), fastClock(30));
  let stalls = true;
  const back = Promise.withResolvers<void>();
  const probeSource = (name: string) => (stalls && name === 'shop' ? back.promise : Promise.resolve());
  const daemon = await startDaemon(t, at, { change: () => ({ probeSource }) });
  const { suspended } = await waitFor('the suspension', async () => {
    const status = await at.catalog.plans.get('often');
    return status.suspended && status;
  });
  assert.equal(suspended?.text, 'no answer within 30 s');
  assert.ok((await at.catalog.jobs.list({ plan: 'other', states: ['succeeded'] })).length >= 2);
  await waitFor(
    'a second probe to be given up',
    async () => at.clock.now() > new Date(suspended!.since.getTime() + 50_000),
  );
  stalls = false;
  back.resolve();
  await waitFor('a run', async () => (await at.catalog.jobs.list({ plan: 'often', states: ['succeeded'] })).length > 0);
  const again = Promise.withResolvers<void>();
  back.promise = again.promise;
  stalls = true;
  await waitFor('the next suspension', async () => (await at.catalog.plans.get('often')).suspended);
  const startedMs = at.clock.monotonicMs();
  await daemon.drain();
  assert.ok(at.clock.monotonicMs() - startedMs < 30_000, 'the drain waits for no probe');
});

test('looks at one that never answers keep one thread of the process between them, and go on when it is back', async (t) => {
  const at = await home(t, yaml({ often, other: { schedule: '*/5 * * * * *' } }), fastClock(60));
  const pipe = join(at.folder, 'pipe');
  await runOk('mkfifo', [pipe]);
  let [stalls, looks, underWay] = [true, 0, 0];
  const look = async (name: string) => {
    if (!stalls || !/^(shop|stalled)$/.test(name)) return;
    looks += 1;
    underWay += 1;
    await openAndClose(pipe).finally(() => (underWay -= 1)); // returns when somebody opens it to write
  };
  const returning = () => {
    stalls = false;
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
  };
  t.after(() => stalls && returning());
  const stalling: Probes = { ...probes, source: ({ name }) => look(name).then(() => ({ identity: name })) };
  await applyByHand(at);
  await replaceFile(at.configuration, yaml({ often, other: { schedule: '*/5 * * * * *' }, stalled: {} }));
  await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({
      probeSource: look,
      reconcile: createReconcile({ catalog, clock, probes: stalling, load: loadFrom(at.configuration) }),
    }),
  });
  await waitFor('the suspension', async () => (await at.catalog.plans.get('often')).suspended);
  const since = at.clock.now().getTime();
  await waitFor('many more looks to be due', () => at.clock.now().getTime() > since + 450_000);
  const answered = await Promise.race([stat('/').then(() => true), at.clock.sleep(60_000).then(() => false)]);
  assert.ok(answered, 'files of others are still answered');
  assert.deepEqual([looks, underWay], [2, 2], 'one of what is applied, one of what is new');
  returning();
  await waitFor('a run', async () => (await at.catalog.jobs.list({ plan: 'often', states: ['succeeded'] })).length > 0);
  await waitFor('the change', async () => (await at.catalog.state.read()).resources.has('plans.stalled'));
});

test('a look at what is new that never returns is the only one, also when a person has applied it meanwhile', async (t) => {
  const [at, back] = [await home(t, yaml({ nightly: dueNow }), fastClock(60)), Promise.withResolvers<void>()];
  let looks = 0;
  const look = async (name: string) => {
    if (name !== 'stalled') return;
    looks += 1;
    await back.promise;
  };
  const stalling: Probes = { ...probes, source: ({ name }) => look(name).then(() => ({ identity: name })) };
  await applyByHand(at);
  const daemon = await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({
      probeSource: look,
      reconcile: createReconcile({ catalog, clock, probes: stalling, load: loadFrom(at.configuration) }),
    }),
  });
  await replaceFile(at.configuration, yaml({ nightly: dueNow, stalled: { schedule: '*/5 * * * * *' } }));
  daemon.reload();
  await waitFor('the look at what is new', () => looks === 1);
  await applyByHand(at);
  await waitFor('the suspension', async () => (await at.catalog.plans.get('stalled')).suspended);
  assert.equal(looks, 1);
  back.resolve();
  const runs = () => at.catalog.jobs.list({ plan: 'stalled', states: ['succeeded'] });
  await waitFor('a run', async () => (await runs()).length > 0);
});

async function openAndClose(path: string): Promise<void> {
  await (await open(path, 'r')).close();
}

test('a stalled source in a change of the configuration leaves the loop of the configuration alive', async (t) => {
  const at = await home(t, yaml({ nightly: { schedule: '0 0 1 1 *' } }), fastClock(60));
  const stalling: Probes = {
    ...probes,
    source: ({ name }) => (name === 'stalled' ? new Promise<never>(() => {}) : Promise.resolve({ identity: name })),
  };
  const daemon = await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({
      reconcile: createReconcile({ catalog, clock, probes: stalling, load: loadFrom(at.configuration) }),
    }),
  });
  await replaceFile(at.configuration, yaml({ nightly: { schedule: '0 0 1 1 *' }, stalled: {} }));
  daemon.reload();
  const text = await waitFor('the change to be pending', async () => {
    const { configuration } = (await at.catalog.daemons.alive(() => 'unknown'))[0]!;
    return configuration.state === 'pending' ? configuration.text : undefined;
  });
  assert.match(text, /SOURCE_UNREACHABLE: no answer within 60 s/);
  await replaceFile(at.configuration, yaml({ nightly: { schedule: '0 0 1 1 *' }, fine: {} }));
  daemon.reload();
  await waitFor('the next change', async () => (await at.catalog.state.read()).resources.has('plans.fine'));
});

test('new sources that say nothing hold up neither the start of a daemon, nor what was applied, nor its good health', async (t) => {
  const nightly = { nightly: dueNow };
  const at = await home(t, yaml(nightly), fastClock(30));
  await makeDue(at, 'nightly');
  const silent = Array.from({ length: 9 }, (_, number) => [`silent-${number}`, { schedule: '0 0 1 1 *' }]);
  await replaceFile(at.configuration, yaml({ ...nightly, ...Object.fromEntries(silent) }));
  const stalling: Probes = { ...probes, source: () => new Promise<never>(() => {}) };
  const startedMs = at.clock.monotonicMs();
  const daemon = await startDaemon(t, at, {
    change: ({ catalog, clock }) => ({
      reconcile: createReconcile({ catalog, clock, probes: stalling, load: loadFrom(at.configuration) }),
    }),
  });
  assert.ok(at.clock.monotonicMs() - startedMs < 60_000, 'it is ready in less time than one of them has');
  const run = async () => (await at.catalog.jobs.list({ plan: 'nightly', states: ['succeeded'] })).length > 0;
  await waitFor('a run of what was applied', run);
  const text = await waitFor('all of them to be given up', async () => {
    assert.equal((await fetch(`${daemon.url}/healthz`)).status, 200);
    const { configuration } = (await at.catalog.daemons.alive(() => 'unknown'))[0]!;
    return configuration.state === 'pending' ? configuration.text : undefined;
  });
  assert.match(text, /silent-8/);
  assert.ok(at.clock.monotonicMs() - startedMs > 120_000, 'longer than a loop may be silent');
});

test('a loop that hangs in its first round is sick', async (t) => {
  const at = await home(t, yaml({ nightly: { schedule: '0 0 1 1 *' } }), fastClock(60));
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const { url } = await startDaemon(t, at, { change: () => ({ reconcile: hang }) });
  await waitFor('its sickness', async () => (await fetch(`${url}/healthz`)).status === 503, { timeoutMs: 5_000 });
});

test('an outage that began while an earlier one was probed is not taken for the one that is over', async (t) => {
  const at = await home(t, yaml({ often }));
  await applyByHand(at);
  const { plans, events } = at.catalog;
  const since = at.clock.now();
  await plans.update('often', { suspended: { reason: 'source-down', since, text: 'no answer' } });
  const newer = { reason: 'destination-down', since, text: 'not mounted' } as const;
  const probed = new Set<string>();
  const change = () => ({
    probeSource: async () => {
      if (!probed.has('source')) await plans.update('often', { suspended: newer });
      probed.add('source');
    },
    probeDestination: async () => {
      probed.add('destination');
      throw new TidemarkError('DESTINATION_UNREACHABLE', 'not mounted');
    },
  });
  await startDaemon(t, at, { change });
  await waitFor('the second probe', () => probed.has('destination'));
  assert.deepEqual((await plans.get('often')).suspended, newer);
  assert.deepEqual(await events.list({ kind: 'plan.resumed' }), []);
});
