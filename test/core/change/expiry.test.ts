import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Catalog, openSqliteCatalog } from '../../../core/catalog/index.ts';
import { apply, type ChangeSet, encodeChangeSet, isDestructive, parseChangeSet } from '../../../core/change/index.ts';
import { hasCode } from '../../../core/error.ts';
import { backup, manualClock } from '../../contracts/catalog-samples.ts';
import { atEnd } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import { changeSetNow, edit, type Specs, shop } from './samples.ts';

const clock = manualClock('2026-03-20T12:00:00Z');
const plan = shop['plans.nightly']!;
/** Backups of these hours, all in one day of Shanghai but not of UTC: `2026-03-17 17h` is the 18th there. */
const hours = ['2026-03-19T17', '2026-03-18T17', '2026-03-17T17', '2026-03-17T15', '2026-03-16T17'];
const daily = (count: number): Specs => edit(shop, { 'retention.standard': { daily: count } });

test('a policy that keeps less names what goes, how much, and how the oldest moves', async (t) => {
  const catalog = await withBackups(t, daily(7));
  const set = await changeSetNow(catalog, daily(2), clock);
  const [action] = set.actions;
  assert.equal(action!.destructive, true);
  const [told] = action!.consequences;
  assert.deepEqual(
    told!.expiring?.map(({ consistentAt }) => consistentAt.slice(0, 13)),
    ['2026-03-17T17', '2026-03-17T15', '2026-03-16T17'],
  );
  assert.deepEqual(told!.backups, { copies: 3, sizeBytes: 3000 });
  assert.deepEqual([told!.before, told!.after], ['2026-03-16T17:00:00.000Z', '2026-03-18T17:00:00.000Z']);
  assert.match(
    told!.text,
    /^3 of 5 backups of nightly in nas \(2.9 KiB\) will expire: .* of 2026-03-17T17:00:00.000Z, /,
  );
  assert.match(told!.text, /the oldest good one to go back to will be of 2026-03-18T17:00:00.000Z, not of 2026-03-16/);
  assert.deepEqual(parseChangeSet(encodeChangeSet(set)), set);
});

/** What lets backups go from what they were kept by before, whatever has changed: how many of five, and at which address. */
const losing: Readonly<Record<string, { from?: Specs; to: Specs; goes: number; address: string }>> = {
  'a first policy': {
    from: edit(shop, { 'plans.nightly': { ...plan, retention: undefined } }),
    to: daily(3),
    goes: 2,
    address: 'plans.nightly',
  },
  'another policy': {
    from: daily(7),
    to: edit(daily(7), { 'retention.short': { last: 1 }, 'plans.nightly': { ...plan, retention: 'short' } }),
    goes: 4,
    address: 'plans.nightly',
  },
  'rules that keep less of one thing and more of another': {
    from: daily(7),
    to: edit(shop, { 'retention.standard': { daily: 1, last: 2 } }),
    goes: 3,
    address: 'retention.standard',
  },
  'the days of another zone': {
    from: daily(4),
    to: edit(daily(4), { 'plans.nightly': { ...plan, timezone: 'UTC' } }),
    goes: 1,
    address: 'plans.nightly',
  },
  'another policy and other days of it at once': {
    from: daily(7),
    to: edit(daily(1), { 'plans.nightly': { ...plan, timezone: 'UTC' } }),
    goes: 4,
    address: 'plans.nightly',
  },
  'a renamed plan with less': {
    from: daily(7),
    to: edit(daily(2), { 'plans.nightly': undefined, 'plans.daily': { ...plan, renamedFrom: 'nightly' } }),
    goes: 3,
    address: 'retention.standard',
  },
};

for (const [name, { from = daily(7), to, goes, address }] of Object.entries(losing)) {
  test(`told once, and destructive: ${name}`, async (t) => {
    const catalog = await withBackups(t, from);
    const set = await changeSetNow(catalog, to, clock);
    assert.deepEqual(expiring(set).length, goes);
    const action = set.actions.find(({ consequences }) => consequences.some((one) => one.expiring !== undefined));
    assert.deepEqual([action?.address, action?.destructive], [address, true]);
  });
}

/** What lets none go. */
const harmless: Readonly<Record<string, Specs>> = {
  'renamed plan, policy, source and destination': {
    'sources.store': { ...shop['sources.shop'], renamedFrom: 'shop' },
    'destinations.shelf': { ...shop['destinations.nas'], renamedFrom: 'nas' },
    'retention.usual': { daily: 3, renamedFrom: 'standard' },
    'plans.daily': { ...plan, source: 'store', destinations: ['shelf'], retention: 'usual', renamedFrom: 'nightly' },
  },
  'a policy that goes from the plan': edit(daily(3), { 'plans.nightly': { ...plan, retention: undefined } }),
  'a policy that keeps more': daily(4),
  'an equal policy of another name': edit(daily(3), {
    'retention.same': { daily: 3 },
    'plans.nightly': { ...plan, retention: 'same' },
  }),
};

for (const [name, to] of Object.entries(harmless)) {
  test(`no backup goes and a daemon applies it: ${name}`, async (t) => {
    const catalog = await withBackups(t, daily(3));
    const set = await changeSetNow(catalog, to, clock);
    assert.ok(set.actions.length > 0);
    assert.deepEqual(expiring(set), []);
    assert.equal(isDestructive(set), false);
  });
}

test('a plan that is added with a policy where backups of its name are is destructive when some go', async (t) => {
  const catalog = await withBackups(t, edit(shop, { 'plans.nightly': undefined }));
  assert.equal(expiring(await changeSetNow(catalog, daily(2), clock)).length, 3);
  assert.equal(isDestructive(await changeSetNow(catalog, daily(2), clock)), true);
  const ample = edit(shop, { 'retention.standard': { ...shop['retention.standard'], last: 9 } });
  assert.equal(isDestructive(await changeSetNow(catalog, ample, clock)), false);
});

test('a pin and another source keep what the policy would let go', async (t) => {
  const catalog = await withBackups(t, daily(7));
  const [, second] = await catalog.backups.list({ plan: 'nightly' });
  await catalog.retained.pin('nas', second!.id, { at: clock.now(), by: 'db1' });
  await catalog.backups.record(backup({ source: 'former', consistentAt: new Date('2025-01-01T00:00:00Z') }));
  const set = await changeSetNow(catalog, edit(shop, { 'retention.standard': { last: 1 } }), clock);
  assert.deepEqual(
    expiring(set).map(({ consistentAt }) => consistentAt.slice(0, 13)),
    hours.slice(2),
  );
});

test('a change set that would let more go than it shows is stale', async (t) => {
  const catalog = await withBackups(t, daily(7));
  const set = await changeSetNow(catalog, daily(2), clock);
  const probe = async () => ({ identity: 'same' });
  const input = { catalog, probes: { source: probe, destination: probe }, clock, signal: new AbortController().signal };
  clock.advance(86_400_000);
  await catalog.backups.record(backup({ consistentAt: clock.now() }));
  const isStale = (error: unknown) => hasCode(error, 'CHANGE_STALE') && /does not show/.test(error.message);
  await assert.rejects(apply({ ...input, changeSet: set }), isStale);
  await apply({ ...input, changeSet: await changeSetNow(catalog, daily(2), clock) });
});

test('what thousands of backups come to is short in words and whole in figures', async (t) => {
  const catalog = await openCatalog(t);
  await applied(catalog, daily(9000));
  const stock = Array.from({ length: 3000 }, (_, at) =>
    backup({ consistentAt: new Date(clock.now().getTime() - at * 86_400_000), sizeBytes: 1000 }),
  );
  await catalog.backups.takeStock('nas', { found: stock, gone: [], damaged: new Map() });
  const [action] = (await changeSetNow(catalog, daily(1000), clock)).actions;
  assert.equal(action!.consequences[0]!.expiring?.length, 2000);
  assert.ok(action!.consequences[0]!.text.length < 1500);
});

function expiring({ actions }: ChangeSet) {
  return actions.flatMap(({ consequences }) => consequences.flatMap((one) => one.expiring ?? []));
}

async function openCatalog(t: TestContext): Promise<Catalog> {
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  atEnd(t, async () => catalog[Symbol.asyncDispose]());
  return catalog;
}

async function withBackups(t: TestContext, specs: Specs): Promise<Catalog> {
  const catalog = await openCatalog(t);
  await applied(catalog, specs);
  for (const hour of hours) {
    await catalog.backups.record(backup({ consistentAt: new Date(`${hour}:00:00Z`), sizeBytes: 1000 }));
  }
  return catalog;
}

async function applied(catalog: Catalog, specs: Specs): Promise<void> {
  const changeSet = await changeSetNow(catalog, specs, clock);
  const probe = async () => ({ identity: 'same' });
  const probes = { source: probe, destination: probe };
  await apply({ changeSet, catalog, probes, clock, signal: new AbortController().signal });
}
