import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Catalog, openSqliteCatalog } from '../../../core/catalog/index.ts';
import { apply, type ChangeSet } from '../../../core/change/index.ts';
import { planSettings } from '../../../core/config/index.ts';
import { type Decision, due, passedUntil } from '../../../core/schedule/index.ts';
import { type ManualClock, manualClock } from '../../contracts/catalog-samples.ts';
import { atEnd } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import { changeSetNow, edit, type Specs } from './samples.ts';

const minuteMs = 60_000;
const base: Specs = {
  'sources.shop': { driver: 'mysql' },
  'destinations.nas': { driver: 'local' },
  'retention.standard': { last: 3 },
};
const drivers = { sources: [], destinations: [] };
const probe = async () => ({ identity: 'x' });
const { signal } = new AbortController();

const nightly = { source: 'shop', type: 'logical', destinations: ['nas'], schedule: '0 1 * * *' };
const hourly = { ...nightly, schedule: '0 * * * *' };
const manual = { source: 'shop', type: 'logical', destinations: ['nas'], manual: true };

interface Scene {
  readonly catalog: Catalog;
  readonly clock: ManualClock;
  /** Applies these plans and gives what the change set says of the next run. */
  edit(plans: Specs): Promise<string | undefined>;
  /** What a daemon that looks once a minute decides until `until`, and what it makes of it. */
  run(until: string): Promise<readonly Decision[]>;
}

async function scene(t: TestContext, start: string): Promise<Scene> {
  const clock = manualClock(start);
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  atEnd(t, async () => catalog[Symbol.asyncDispose]());
  return {
    catalog,
    clock,
    edit: async (plans) => {
      const changeSet = await changeSetNow(catalog, edit(base, plans), clock);
      await apply({ changeSet, catalog, probes: { source: probe, destination: probe }, clock, signal });
      return nextRunOf(changeSet);
    },
    run: (until) => runUntil(catalog, clock, new Date(until)),
  };
}

function nextRunOf({ actions }: ChangeSet): string | undefined {
  const consequences = actions.flatMap((action) => action.consequences);
  return consequences.find(({ kind }) => kind === 'next-run')?.after as string | undefined;
}

async function runUntil(catalog: Catalog, clock: ManualClock, until: Date): Promise<readonly Decision[]> {
  const made: Decision[] = [];
  let plans = await scheduledPlans(catalog); // nobody but this one changes them meanwhile
  for (; clock.now() <= until; clock.advance(minuteMs)) {
    const decisions = due(plans, clock.now()).filter((one) => one.action !== 'wait');
    for (const decision of decisions) {
      const { plan, from, to } = decision;
      assert.ok(await catalog.plans.schedule({ plan, from, to, jobs: [] }));
      if (decision.action !== 'pass') made.push(decision);
    }
    if (decisions.length > 0) plans = await scheduledPlans(catalog);
  }
  return made;
}

async function scheduledPlans(catalog: Catalog) {
  const { resources } = await catalog.state.read();
  const plans = [...resources.values()].filter(({ collection }) => collection === 'plans');
  return Promise.all(
    plans.map(async (plan) => ({
      settings: planSettings(plan, resources, drivers),
      status: await catalog.plans.get(plan.name),
      since: plan.updatedAt,
      active: false,
    })),
  );
}

function told(decisions: readonly Decision[]) {
  return decisions.map((one) => [
    one.action,
    one.action === 'run' && one.scheduledFor.toISOString(),
    'missed' in one && one.missed !== undefined,
  ]);
}

test('nightly made hourly at 15:20 runs at 16:00, as the plan says, and has missed nothing', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': nightly });
  assert.deepEqual(told(await at.run('2026-03-01T15:20:00Z')), [['run', '2026-03-01T01:00:00.000Z', false]]);
  assert.equal(await at.edit({ 'plans.p': hourly }), '2026-03-01T16:00:00.000Z');
  assert.deepEqual(told(await at.run('2026-03-01T16:30:00Z')), [['run', '2026-03-01T16:00:00.000Z', false]]);
});

test('what is due by the old timetable while the daemon is down is not due by the new one', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': nightly });
  at.clock.advance(39 * 60 * minuteMs + 20 * minuteMs); // 15:20 of the next day, two runs missed
  assert.equal(await at.edit({ 'plans.p': { ...nightly, timezone: 'Asia/Tokyo' } }), '2026-03-02T16:00:00.000Z');
  assert.deepEqual(told(await at.run('2026-03-02T16:10:00Z')), [['run', '2026-03-02T16:00:00.000Z', false]]);
});

test('a plan that is made manual and scheduled again begins anew', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': hourly });
  await at.run('2026-03-01T01:30:00Z');
  assert.equal(await at.edit({ 'plans.p': manual }), undefined);
  assert.deepEqual(await at.run('2026-03-01T09:30:00Z'), []);
  assert.equal(await at.edit({ 'plans.p': hourly }), '2026-03-01T10:00:00.000Z');
  assert.deepEqual(told(await at.run('2026-03-01T10:30:00Z')), [['run', '2026-03-01T10:00:00.000Z', false]]);
});

test('a change of anything else does not make a missed run forgotten', async (t) => {
  const others: Specs[] = [
    { 'plans.p': { ...nightly, retention: 'standard' } },
    { 'plans.p': { ...nightly, include: ['shop.*'] } },
    { 'plans.p': { ...nightly, timezone: 'UTC', jitter: '0s' } },
    { 'plans.q': { ...nightly, renamedFrom: 'p' } },
  ];
  for (const plans of others) {
    const at = await scene(t, '2026-03-01T00:00:00Z');
    await at.edit({ 'plans.p': nightly });
    at.clock.advance(15 * 60 * minuteMs);
    await at.edit(plans);
    const [decision] = await at.run('2026-03-01T15:10:00Z');
    assert.deepEqual([decision?.action, decision?.action === 'run' && decision.trigger], ['run', 'missed']);
  }
});

test('a plan that is renamed and gets another schedule begins anew', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': nightly });
  at.clock.advance(15 * 60 * minuteMs + 20 * minuteMs);
  assert.equal(await at.edit({ 'plans.q': { ...hourly, renamedFrom: 'p' } }), '2026-03-01T16:00:00.000Z');
  assert.deepEqual(told(await at.run('2026-03-01T16:10:00Z')), [['run', '2026-03-01T16:00:00.000Z', false]]);
});

test('a plan that is paused, edited and resumed has missed nothing, daemon or not', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': nightly });
  await at.catalog.plans.update('p', { pausedAt: at.clock.now() });
  at.clock.advance(15 * 60 * minuteMs);
  await at.edit({ 'plans.p': hourly });
  at.clock.advance(190 * minuteMs); // 18:10, no daemon was there
  const { scheduledThrough } = await at.catalog.plans.get('p');
  const settings = (await scheduledPlans(at.catalog))[0]!.settings;
  const passed = passedUntil(settings, at.clock.now(), scheduledThrough);
  await at.catalog.plans.update('p', { pausedAt: null, scheduledThrough: passed });
  assert.deepEqual(told(await at.run('2026-03-01T19:10:00Z')), [['run', '2026-03-01T19:00:00.000Z', false]]);
});

test('a decision made by the old timetable while the new one is applied comes to nothing', async (t) => {
  const at = await scene(t, '2026-03-01T00:00:00Z');
  await at.edit({ 'plans.p': nightly });
  at.clock.advance(60 * minuteMs);
  const [decision] = due(await scheduledPlans(at.catalog), at.clock.now());
  assert.ok(decision?.action === 'run');
  await at.edit({ 'plans.p': hourly });
  const { plan, from, to } = decision;
  assert.equal(await at.catalog.plans.schedule({ plan, from, to, jobs: [] }), undefined);
});

test('whatever the change of timing, the first run is the one that the plan says', async (t) => {
  const schedules = ['0 1 * * *', '0 * * * *', '*/7 * * * *', '30 */6 * * *', '15 3 * * 1'];
  const timezones = ['UTC', 'Asia/Kathmandu', 'America/New_York'];
  const jitters = ['0s', '25m', '3h'];
  const seed = Math.floor(Math.random() * 1_000_000);
  let state = seed;
  const any = <T>(list: readonly T[]): T => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return list[state % list.length]!;
  };
  for (let round = 0; round < 8; round++) {
    const at = await scene(t, '2026-03-01T00:00:00Z');
    for (let step = 0; step < 3; step++) {
      const plan = { ...nightly, schedule: any(schedules), timezone: any(timezones), jitter: any(jitters) };
      const before = (await at.catalog.plans.get('p')).scheduledThrough;
      const says = await at.edit({ 'plans.p': { ...plan, exclude: [`${step}`] } });
      if ((await at.catalog.plans.get('p')).scheduledThrough?.getTime() === before?.getTime()) continue;
      const hours = any([1, 5, 30]);
      const until = new Date(at.clock.now().getTime() + hours * 60 * minuteMs);
      const [first] = await at.run(until.toISOString());
      const lateMs = (await scheduledPlans(at.catalog))[0]!.settings.jitterMs;
      if (says !== undefined && new Date(says) <= until) {
        assert.ok(
          first?.action === 'run' && first.missed === undefined && first.trigger === 'schedule',
          `seed ${seed}`,
        );
        const delayMs = Date.parse(says) - first.scheduledFor.getTime();
        assert.ok(delayMs >= 0 && delayMs <= lateMs, `seed ${seed}`);
      } else assert.equal(first, undefined, `seed ${seed}`);
    }
  }
});
