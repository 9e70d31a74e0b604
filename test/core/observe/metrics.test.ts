import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Catalog, openSqliteCatalog } from '../../../core/catalog/index.ts';
import { backupJob, jobKinds, missedJob, planKinds, pruneJob } from '../../../core/job/index.ts';
import { createMetrics, metricReference, metricTable } from '../../../core/observe/index.ts';
import { backup, manualClock, resource } from '../../contracts/catalog-samples.ts';
import { tempFolder } from '../../kit/temp.ts';
import { plan } from '../job/job-kit.ts';

const kinds = { all: Object.keys(jobKinds), ofPlans: planKinds(jobKinds) };

const start = new Date('2026-03-01T00:00:00Z');

const prune = { schedule: '0 3 * * *', timezone: 'UTC', graceMs: 0, maxUnused: 'unlimited' } as const;

async function scene(t: TestContext) {
  const clock = manualClock();
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  t.after(() => catalog[Symbol.asyncDispose]());
  const put = ['sources.shop', 'destinations.nas', 'plans.nightly', 'plans.manual'].map((address) => resource(address));
  await catalog.state.commit({ expectedSerial: (await catalog.state.read()).serial, put, remove: [], rename: [] });
  const configuration = { state: 'pending', text: '', at: start, pendingChanges: 3 } as const;
  const plans = [plan(), plan({ name: 'manual', schedule: undefined })];
  const metrics = createMetrics({
    kinds,
    prune,
    catalog,
    clock,
    version: '1.2.3',
    plans: () => plans,
    configuration: () => configuration,
  });
  return { clock, catalog, read: async () => parse(await metrics.render()) };
}

/** Samples of ours by name and labels. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith('tidemark_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function runJob(catalog: Catalog, to: 'succeeded' | 'failed' | 'cancelled') {
  const { id } = await catalog.jobs.add(await backupJob(plan(), 'schedule'));
  const job = await catalog.jobs.claim({ owner: 'one', leaseMs: 1000, id });
  await catalog.jobs.transition(job!, to);
}

test('the jobs of every kind that a plan is for count as its runs', async (t) => {
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), manualClock());
  t.after(() => catalog[Symbol.asyncDispose]());
  await catalog.jobs.add({ ...(await backupJob(plan(), 'manual')), kind: 'archive' });
  await catalog.jobs.claim({ owner: 'one', leaseMs: 60_000 });
  const configuration = () => ({ state: 'applied', text: '', at: new Date(0), pendingChanges: 0 }) as const;
  const rendered = (ofPlans: readonly string[]) =>
    createMetrics({
      ...{ catalog, clock: manualClock(), version: '0', prune, plans: () => [plan()], configuration },
      kinds: { all: ['backup', 'archive'], ofPlans },
    }).render();
  assert.match(await rendered(['backup', 'archive']), /tidemark_plan_running\{[^}]*\} 1/);
  assert.match(await rendered(['backup']), /tidemark_plan_running\{[^}]*\} 0/);
  assert.match(await rendered([]), /tidemark_jobs\{kind="archive",state="running"\} 1/);
});

test('a fresh plan has an age and no success', async (t) => {
  const { read } = await scene(t);
  const values = await read();
  const of = (name: string) => values.get(`tidemark_plan_${name}{plan="nightly",source="shop"}`);
  assert.equal(of('created_timestamp_seconds'), start.getTime() / 1000);
  assert.equal(of('last_success_timestamp_seconds'), undefined);
  assert.equal(of('expected_interval_seconds'), 86_400);
  assert.equal(of('next_run_timestamp_seconds'), start.getTime() / 1000 + 3600);
  assert.equal(of('consecutive_failures'), 0);
  assert.equal(values.get('tidemark_plan_expected_interval_seconds{plan="manual",source="shop"}'), undefined);
  assert.equal(values.get('tidemark_build_info{version="1.2.3"}'), 1);
  assert.equal(values.get('tidemark_config_state{state="pending"}'), 1);
  assert.equal(values.get('tidemark_config_state{state="applied"}'), 0);
  assert.equal(values.get('tidemark_pending_changes'), 3);
  assert.equal(values.get('tidemark_applied_serial'), 1);
});

test('backups tell success, duration and bytes, also when only imported', async (t) => {
  const { catalog, read } = await scene(t);
  await catalog.backups.record(backup({ sizeBytes: 5000, addedBytes: 70 }));
  const values = await read();
  const of = (name: string) => values.get(`tidemark_plan_${name}{plan="nightly",source="shop"}`);
  assert.equal(of('last_success_timestamp_seconds'), start.getTime() / 1000 + 60);
  assert.equal(of('last_duration_seconds'), 60);
  assert.equal(of('last_read_bytes'), 5000);
  assert.equal(of('last_added_bytes'), 70);
});

test('a backup of another source, in another place, or with parts missing is no success of the plan', async (t) => {
  const { catalog, clock, read } = await scene(t);
  const success = async () =>
    (await read()).get('tidemark_plan_last_success_timestamp_seconds{plan="nightly",source="shop"}');
  await catalog.plans.update('nightly', { lastSuccessAt: clock.now() });
  const later = new Date(start.getTime() + 1_000);
  await catalog.backups.record(backup({ source: 'old', consistentAt: later }));
  await catalog.backups.record(backup({ destination: 'old', consistentAt: later }));
  assert.equal(await success(), undefined);
  await catalog.backups.record(backup());
  await catalog.backups.record(backup({ partial: true, consistentAt: later }));
  assert.equal(await success(), start.getTime() / 1000 + 60);
});

test('failures in a row are counted up to the last success, and a cancel is none', async (t) => {
  const { catalog, clock, read } = await scene(t);
  const failures = async () => (await read()).get('tidemark_plan_consecutive_failures{plan="nightly",source="shop"}');
  for (const to of ['failed', 'succeeded', 'failed', 'cancelled', 'failed'] as const) {
    await runJob(catalog, to);
    clock.advance(1000);
  }
  assert.equal(await failures(), 2);
  await catalog.jobs.add(missedJob(plan(), { first: start, last: start }));
  assert.equal(await failures(), 3);
  clock.advance(1000);
  await runJob(catalog, 'succeeded');
  assert.equal(await failures(), 0);
});

test('what runs, waits, is paused or down shows, and shows no more when it is over', async (t) => {
  const { catalog, read } = await scene(t);
  const labels = '{plan="nightly",source="shop"}';
  const { id } = await catalog.jobs.add(await backupJob(plan(), 'schedule'));
  const job = await catalog.jobs.claim({ owner: 'one', leaseMs: 1000, id });
  const suspended = { reason: 'destination-down', since: start, text: 'gone' } as const;
  await catalog.plans.update('nightly', { pausedAt: start, suspended });
  const during = await read();
  assert.equal(during.get(`tidemark_plan_running${labels}`), 1);
  assert.equal(during.get(`tidemark_plan_paused${labels}`), 1);
  assert.equal(during.get(`tidemark_plan_suspended${labels}`), 1);
  assert.equal(during.get('tidemark_destination_up{destination="nas"}'), 0);
  assert.equal(during.get('tidemark_source_up{source="shop"}'), 1);
  assert.equal(during.get('tidemark_jobs{kind="backup",state="running"}'), 1);
  await catalog.jobs.transition(job!, 'failed');
  await catalog.plans.update('nightly', { pausedAt: null, suspended: null });
  const after = await read();
  assert.equal(after.get(`tidemark_plan_running${labels}`), 0);
  assert.equal(after.get(`tidemark_plan_paused${labels}`), 0);
  assert.equal(after.get('tidemark_destination_up{destination="nas"}'), 1);
  assert.equal(after.get('tidemark_jobs{kind="backup",state="running"}'), 0);
});

test('a removed plan leaves no samples behind', async (t) => {
  const clock = manualClock();
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  t.after(() => catalog[Symbol.asyncDispose]());
  let plans = [plan()];
  const configuration = () => ({ state: 'applied', text: '', at: start, pendingChanges: 0 }) as const;
  const metrics = createMetrics({ kinds, prune, catalog, clock, version: '0', plans: () => plans, configuration });
  assert.match(await metrics.render(), /plan="nightly"/);
  plans = [];
  assert.doesNotMatch(await metrics.render(), /plan="nightly"/);
});

test('every metric has a help text and a row in the reference', () => {
  const reference = metricReference();
  for (const [name, { help }] of Object.entries(metricTable)) {
    assert.ok(help.endsWith('.'), name);
    assert.ok(reference.includes(`\`${name}\``), name);
  }
});

test('the last good prune of a destination is told by its time, and one that left something undone is none', async (t) => {
  const { clock, catalog, read } = await scene(t);
  const request = { destination: 'nas', plans: [], now: false, graceMs: 0, maxUnused: 'unlimited' } as const;
  const end = async (to: 'succeeded' | 'partial' | 'failed', netBytes: number) => {
    clock.advance(1000);
    const { id } = await catalog.jobs.add(pruneJob(request, 'schedule'));
    const job = await catalog.jobs.claim({ owner: 'one', leaseMs: 1000, id });
    await catalog.jobs.transition(job!, to, { result: { netBytes } });
  };
  const told = async () => {
    const samples = await read();
    return ['last_success_timestamp_seconds', 'last_freed_bytes', 'expected_interval_seconds'].map((name) =>
      samples.get(`tidemark_prune_${name}{destination="nas"}`),
    );
  };
  assert.deepEqual(await told(), [undefined, undefined, 86_400]);
  await end('succeeded', 7);
  const good = clock.now().getTime() / 1000;
  await end('partial', 3);
  assert.deepEqual(await told(), [good, 3, 86_400]);
});
