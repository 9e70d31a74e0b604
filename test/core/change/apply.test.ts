import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { type AppliedState, type Catalog, openSqliteCatalog } from '../../../core/catalog/index.ts';
import { apply, encodeChangeSet, isEmpty, type Probes, parseChangeSet } from '../../../core/change/index.ts';
import { systemClock } from '../../../core/clock.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
import { probeErrors } from '../../../core/probe-errors.ts';
import { backup, manualClock } from '../../contracts/catalog-samples.ts';
import { atEnd } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import { changeSetNow, edit, now, type Specs, shop } from './samples.ts';

const clock = { ...manualClock(now.toISOString()), sleep: systemClock.sleep };
const plan = shop['plans.nightly']!;
const nas = shop['destinations.nas']!;
const { signal } = new AbortController();

/** Probes that find everything well and remember whom they asked. */
function wellProbes(asked: string[] = []): Probes {
  const probe = async ({ address, spec }: { address: string; spec: Readonly<Record<string, unknown>> }) => {
    asked.push(address);
    return { identity: `${spec.host ?? spec.path}` };
  };
  return { source: probe, destination: probe };
}

async function newCatalog(t: TestContext): Promise<Catalog> {
  const catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  atEnd(t, async () => catalog[Symbol.asyncDispose]());
  return catalog;
}

function plans(catalog: Catalog, specs: Specs) {
  return changeSetNow(catalog, specs, clock);
}

async function applySpecs(catalog: Catalog, specs: Specs, probes = wellProbes()) {
  return apply({ changeSet: await plans(catalog, specs), catalog, probes, clock, signal });
}

const isRefused = (error: unknown) => hasCode(error, 'CHANGE_REFUSED');
const isStale = (error: unknown) => hasCode(error, 'CHANGE_STALE');

const { 'plans.nightly': _, ...withoutPlan } = shop;
const { 'sources.shop': source, ...withoutSource } = shop;
const sequences: Readonly<Record<string, readonly Specs[]>> = {
  'from nothing and back': [shop, {}],
  'every field of a plan': [
    shop,
    edit(shop, { 'plans.nightly': { ...plan, schedule: '5 6 * * *', include: ['a.*'], retry: { attempts: 3 } } }),
    edit(shop, { 'plans.nightly': { source: 'shop', manual: true, destinations: ['nas'] } }),
  ],
  'a rename, and the line taken out': [
    shop,
    { ...withoutPlan, 'plans.daily': { ...plan, renamedFrom: 'nightly' } },
    { ...withoutPlan, 'plans.daily': plan },
  ],
  'a rename of what others refer to': [
    shop,
    {
      ...withoutSource,
      'sources.store': { ...source, renamedFrom: 'shop' },
      'plans.nightly': { ...plan, source: 'store' },
    },
  ],
  'retention down and up': [shop, edit(shop, { 'retention.standard': { last: 1 } }), shop],
  'a destination moved': [shop, edit(shop, { 'destinations.nas': { ...nas, path: '/new' } })],
};

for (const [name, steps] of Object.entries(sequences)) {
  test(`plan after apply is empty: ${name}`, async (t) => {
    const catalog = await newCatalog(t);
    for (const specs of steps) {
      await applySpecs(catalog, specs);
      assert.deepEqual(addressesOf(await catalog.state.read()), Object.keys(specs).sort());
      assert.deepEqual((await plans(catalog, specs)).actions, []);
    }
  });
}

function addressesOf({ resources }: AppliedState): string[] {
  return [...resources.keys()].sort();
}

test('an empty change set commits nothing', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  const { state } = await applySpecs(catalog, shop);
  assert.equal(state.serial, 1);
  assert.equal((await catalog.events.list()).length, 1);
});

test('apply keeps identities, asks only whom it has to, and tells of another instance', async (t) => {
  const catalog = await newCatalog(t);
  const asked: string[] = [];
  const { state } = await applySpecs(catalog, shop, wellProbes(asked));
  assert.deepEqual(asked.sort(), ['destinations.nas', 'sources.shop']);
  assert.equal(state.resources.get('sources.shop')?.identity, 'db1');
  const words = edit(shop, {
    'sources.shop': { ...source, labels: { a: 'b' } },
    'plans.nightly': { ...plan, missed: 'skip' },
  });
  asked.length = 0;
  const after = await applySpecs(catalog, words, wellProbes(asked));
  assert.deepEqual([asked, after.state.resources.get('sources.shop')?.identity], [[], 'db1']);
  const moved = await applySpecs(catalog, edit(shop, { 'sources.shop': { ...source, host: 'db2' } }));
  assert.match(moved.warnings[0]!.summary, /another instance than before \(db2, was db1\)/);
  const [event] = await catalog.events.list();
  assert.deepEqual([event?.kind, event?.text], ['change.applied', 'serial 3: 0 added, 2 changed, 0 removed']);
});

test('backups follow the repository, not the path', async (t) => {
  const catalog = await newCatalog(t);
  const repository = (identity: string): Probes => ({ ...wellProbes(), destination: async () => ({ identity }) });
  await applySpecs(catalog, shop, repository('r1'));
  await catalog.backups.record(backup());
  await applySpecs(catalog, edit(shop, { 'destinations.nas': { ...nas, path: '/moved' } }), repository('r1'));
  assert.equal((await catalog.backups.list()).length, 1);
  const { warnings } = await applySpecs(catalog, shop, repository('r2'));
  assert.equal((await catalog.backups.list()).length, 0);
  assert.match(warnings[0]!.hint!, /catalog import/);
});

test('all problems of probes are told together, and nothing is applied', async (t) => {
  const catalog = await newCatalog(t);
  const probes: Probes = {
    source: async () => {
      throw new TidemarkError('SOURCE_UNREACHABLE', 'no answer');
    },
    destination: async () => ({
      identity: 'x',
      problems: [
        { severity: 'error', summary: 'not mounted', hint: 'Mount it.' },
        { severity: 'warning', summary: 'slow' },
      ],
    }),
  };
  await assert.rejects(applySpecs(catalog, shop, probes), (error: TidemarkError) => {
    const told = probeErrors(error).map(({ code, subject, message }) => [code, subject, message]);
    assert.deepEqual(told, [
      ['SOURCE_UNREACHABLE', 'sources.shop', 'no answer'],
      ['PROBE_FAILED', 'destinations.nas', 'not mounted'],
    ]);
    return true;
  });
  const one = { ...probes, destination: wellProbes().destination };
  await assert.rejects(applySpecs(catalog, shop, one), (error) => hasCode(error, 'SOURCE_UNREACHABLE'));
  const state = await catalog.state.read();
  assert.deepEqual([state.serial, state.resources.size, (await catalog.events.list()).length], [0, 0, 0]);
});

test('an empty change set looks at what is applied, makes nothing, and says what cannot be used', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  const missing: string[] = [];
  const probes: Probes = {
    source: async () => ({
      identity: 'db9',
      problems: [{ severity: 'warning', summary: 'MyISAM', hint: 'Convert it.' }],
    }),
    destination: async (_resource, _signal, wish) => {
      missing.push(wish);
      throw new TidemarkError('REPOSITORY_MISSING', 'gone', { hint: 'Bring it back.' });
    },
  };
  const { state, warnings, unusable } = await applySpecs(catalog, shop, probes);
  assert.deepEqual([state.serial, missing], [1, ['look']]);
  const told = warnings.map(({ address, summary, hint }) => `${address}: ${summary} [${hint}]`);
  assert.equal(told[0], 'sources.shop: MyISAM [Convert it.]');
  assert.match(told[1]!, /another instance than before \(db9, was db1\)/);
  const errors = unusable.map(({ code, subject, hint }) => [code, subject, hint]);
  assert.deepEqual(errors, [['REPOSITORY_MISSING', 'destinations.nas', 'Bring it back.']]);
  const other: Probes = { ...probes, destination: async () => ({ identity: 'other' }) };
  const [error] = (await applySpecs(catalog, shop, other)).unusable;
  assert.match(`${error?.code} ${error?.message}`, /^REPOSITORY_OTHER this is another repository than the one applied/);
});

test('what does not answer is said by an empty apply and does not fail it', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  const down = new TidemarkError('SOURCE_UNREACHABLE', 'no answer');
  const { warnings, unusable } = await applySpecs(catalog, shop, {
    ...wellProbes(),
    source: () => Promise.reject(down),
  });
  assert.deepEqual(unusable, []);
  assert.deepEqual(
    warnings.map(({ address, summary }) => [address, summary]),
    [['sources.shop', 'it does not answer: no answer']],
  );
});

test('warnings of probes come back', async (t) => {
  const catalog = await newCatalog(t);
  const problems = [{ severity: 'warning', summary: 'MyISAM', hint: 'Convert it.' }] as const;
  const probes = { ...wellProbes(), source: async () => ({ identity: 'x', problems }) };
  const { warnings } = await applySpecs(catalog, shop, probes);
  assert.deepEqual(warnings, [{ address: 'sources.shop', summary: 'MyISAM', hint: 'Convert it.' }]);
});

test('a refused change applies nothing of itself', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  await catalog.backups.record(backup());
  await assert.rejects(applySpecs(catalog, edit(withoutPlan, { 'sources.more': { driver: 'files' } })), isRefused);
  assert.equal((await catalog.state.read()).serial, 1);
  await applySpecs(catalog, edit(shop, { 'plans.nightly': { ...plan, onRemove: 'orphan' } }));
  await applySpecs(catalog, withoutPlan);
  assert.equal((await catalog.backups.list({ plan: 'nightly' })).length, 1);
});

test('a saved change set applies exactly itself, once', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  const changed = edit(shop, { 'plans.nightly': { ...plan, schedule: '0 3 * * *' }, 'retention.standard': undefined });
  const changeSet = parseChangeSet(encodeChangeSet(await plans(catalog, changed)));
  const input = { changeSet, catalog, probes: wellProbes(), clock, signal };
  await apply(input);
  assert.ok(isEmpty(await plans(catalog, changed)));
  await assert.rejects(apply(input), isStale);
});

test('a saved change set is refused for another catalog, when edited, and when backups came since', async (t) => {
  const [catalog, other] = [await newCatalog(t), await newCatalog(t)];
  for (const one of [catalog, other]) await applySpecs(one, shop);
  const input = { catalog, probes: wellProbes(), clock, signal };
  const removal = await plans(catalog, withoutPlan);
  await assert.rejects(apply({ ...input, changeSet: await plans(other, withoutPlan) }), isStale);
  const edited = removal.actions.map((action) => ({ ...action, address: 'sources.shop' }));
  await assert.rejects(apply({ ...input, changeSet: { ...removal, actions: edited } }), isStale);
  await catalog.backups.record(backup());
  await assert.rejects(apply({ ...input, changeSet: removal }), isRefused);
  assert.equal((await catalog.state.read()).serial, 1);
});

test('a backup that ends while its destination is probed keeps its plan from being removed', async (t) => {
  const catalog = await newCatalog(t);
  await applySpecs(catalog, shop);
  const moved = edit(withoutPlan, { 'destinations.nas': { ...nas, path: '/moved' } });
  const probes: Probes = {
    ...wellProbes(),
    destination: async () => {
      await catalog.backups.record(backup());
      return { identity: '/backups' };
    },
  };
  await assert.rejects(applySpecs(catalog, moved, probes), isRefused);
  assert.equal((await catalog.state.read()).serial, 1);
});

test('an apply whose event cannot be recorded has applied nothing', async (t) => {
  const path = join(await tempFolder(t), 'catalog.db');
  await using catalog = await openSqliteCatalog(path, clock);
  using damage = new DatabaseSync(path);
  damage.exec("create trigger no_event before insert on event begin select raise(abort, 'no'); end");
  await assert.rejects(applySpecs(catalog, shop), /^Error: no$/);
  const { serial, resources } = await catalog.state.read();
  assert.deepEqual([serial, resources.size], [0, 0]);
});

test('an apply that is cancelled while it probes applies nothing', async (t) => {
  const catalog = await newCatalog(t);
  const abort = new AbortController();
  const probes: Probes = {
    ...wellProbes(),
    source: async () => {
      abort.abort(new TidemarkError('CANCELLED', 'cancelled'));
      return { identity: 'x' };
    },
  };
  const changeSet = await plans(catalog, shop);
  const applying = apply({ changeSet, catalog, probes, clock, signal: abort.signal });
  await assert.rejects(applying, (error) => hasCode(error, 'CANCELLED'));
  assert.equal((await catalog.state.read()).serial, 0);
});

test('what is no saved change set is told from one', () => {
  const good = { format: 1, lineage: 'x', serial: 1, createdAt: '', fingerprint: '', actions: [], summary: {} };
  assert.ok(isEmpty(parseChangeSet(JSON.stringify(good))));
  const action = { kind: 'remove', address: 'a.b', reason: '', fields: [], consequences: [], spec: {} };
  const bad = [
    '{',
    '[]',
    '{"format":2}',
    JSON.stringify({ ...good, serial: 'x' }),
    JSON.stringify({ ...good, actions: [action] }),
  ];
  for (const text of bad)
    assert.throws(
      () => parseChangeSet(text),
      (error) => hasCode(error, 'CONFIG_INVALID'),
      text,
    );
});
