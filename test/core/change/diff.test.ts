import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DiffInput, diff, formatPath, hasRefusals, isDestructive, isEmpty } from '../../../core/change/index.ts';
import { appliedState, change, configuration, edit, now, observed, type Specs, shop, twelve } from './samples.ts';

const plan = shop['plans.nightly']!;
const nas = shop['destinations.nas']!;

test('what is applied is no change', () => {
  assert.ok(isEmpty(change(shop, shop)));
  const reordered = Object.fromEntries(Object.entries(plan).reverse());
  assert.ok(isEmpty(change(shop, edit(shop, { 'plans.nightly': reordered }))));
});

test('everything is added in the order of reference and removed the other way round', () => {
  const order = ['sources.shop', 'destinations.nas', 'retention.standard', 'plans.nightly'];
  const added = change({}, shop);
  assert.deepEqual(addresses(added), order);
  assert.deepEqual(addresses(change(shop, {})), order.reverse());
  assert.deepEqual(added.summary, { add: 4, change: 0, remove: 0, refuse: 0, destructive: 0 });
  assert.deepEqual(added.actions[0]?.position, { file: '/etc/tidemark.yaml', line: 1, column: 1 });
  assert.ok(!isDestructive(added) && isDestructive(change(shop, {})));
});

test('fields are compared by name, nested, and lists of objects by place', () => {
  const before = {
    retry: { attempts: 1, backoff: '5m' },
    include: ['a', 'b'],
    steps: [{ name: 'x', count: 1 }, { name: 'y' }],
    labels: { constructor: 'x' },
    gone: null,
  };
  const after = {
    retry: { backoff: '5m', attempts: 3 },
    include: ['b'],
    steps: [{ name: 'x', count: 2 }, { name: 'y' }, { name: 'z' }],
    labels: {},
    extra: { a: 1 },
  };
  const [action] = change({ 'retention.p': before }, { 'retention.p': after }).actions;
  const fields = action?.fields.map(({ path, ...rest }) => [formatPath(path), rest]);
  assert.deepEqual(fields, [
    ['extra', { after: { a: 1 } }],
    ['gone', { before: null }],
    ['include', { before: ['a', 'b'], after: ['b'] }],
    ['labels.constructor', { before: 'x' }],
    ['retry.attempts', { before: 1, after: 3 }],
    ['steps[0].count', { before: 1, after: 2 }],
    ['steps[2]', { after: { name: 'z' } }],
  ]);
  assert.match(action!.reason, /^differs in extra, gone, include/);
});

test('a secret shows as its reference and nothing else', () => {
  const password = '${env:OTHER}';
  const set = change(shop, edit(shop, { 'sources.shop': { ...shop['sources.shop'], password } }));
  assert.deepEqual(set.actions[0]?.fields, [
    { path: ['password'], before: '${file:/run/secrets/shop}', after: '${env:OTHER}' },
  ]);
});

interface Verdict {
  readonly to: Specs;
  readonly known?: ReturnType<typeof observed>;
  readonly from?: Specs;
  readonly address: string;
  readonly kind: string;
  readonly destructive?: boolean;
  readonly says?: readonly RegExp[];
  readonly silent?: boolean;
}

const orphaned = { ...plan, onRemove: 'orphan' };
const verdicts: Readonly<Record<string, Verdict>> = {
  'a new plan says its first run, in its time zone': {
    from: {},
    to: shop,
    address: 'plans.nightly',
    kind: 'add',
    says: [/^runs first at 2026-03-02 00:00 Asia\/Shanghai$/],
  },
  'a plan by hand says so': {
    from: {},
    to: edit(shop, { 'plans.nightly': { source: 'shop', manual: true, destinations: ['nas'] } }),
    address: 'plans.nightly',
    kind: 'add',
    says: [/^runs by hand only/],
  },
  'another schedule moves the next run': {
    to: edit(shop, { 'plans.nightly': { ...plan, schedule: '0 6 * * *' } }),
    known: observed([], [{ plan: 'nightly', pausedAt: now }]),
    address: 'plans.nightly',
    kind: 'change',
    says: [/moves from 2026-03-02 00:00 Asia\/Shanghai to 2026-03-02 06:00 Asia\/Shanghai; the plan is paused/],
  },
  'another source or selection means another backup': {
    to: edit(shop, {
      'plans.nightly': { ...plan, source: 'other', exclude: ['x.*'] },
      'sources.other': { driver: 'files' },
    }),
    address: 'plans.nightly',
    kind: 'change',
    says: [/reads everything; earlier ones are of shop/, /another selection/],
  },
  'another destination leaves backups behind': {
    to: edit(shop, { 'plans.nightly': { ...plan, destinations: ['vault'] }, 'destinations.vault': nas }),
    known: twelve,
    address: 'plans.nightly',
    kind: 'change',
    says: [/^12 backups \(3\.0 GiB\) in nas stay there/, /go to vault from the next one on/],
  },
  'a plan that holds backups is not removed': {
    to: edit(shop, { 'plans.nightly': undefined }),
    known: twelve,
    address: 'plans.nightly',
    kind: 'refuse',
  },
  'a plan is removed when it said orphan': {
    from: edit(shop, { 'plans.nightly': orphaned }),
    to: edit(shop, { 'plans.nightly': undefined }),
    known: twelve,
    address: 'plans.nightly',
    kind: 'remove',
    destructive: true,
    says: [/the run at 2026-03-02 00:00 .* will not happen/, /^12 backups .* stay and can be restored/],
  },
  'a plan without backups is removed': {
    to: edit(shop, { 'plans.nightly': undefined }),
    known: observed([{ plan: 'other' }]),
    address: 'plans.nightly',
    kind: 'remove',
    destructive: true,
    says: [/will not happen/],
  },
  'a destination that holds backups is not removed': {
    to: edit(shop, { 'destinations.nas': undefined }),
    known: observed([{ plan: 'gone-already' }]),
    address: 'destinations.nas',
    kind: 'refuse',
  },
  'a destination is removed when it said orphan': {
    from: edit(shop, { 'destinations.nas': { ...nas, onRemove: 'orphan' } }),
    to: edit(shop, { 'destinations.nas': undefined }),
    known: twelve,
    address: 'destinations.nas',
    kind: 'remove',
    destructive: true,
    says: [/no longer listed; `tidemark catalog import`/],
  },
  'a destination that moves strands its backups': {
    to: edit(shop, { 'destinations.nas': { ...nas, path: '/mnt/new' } }),
    known: twelve,
    address: 'destinations.nas',
    kind: 'change',
    destructive: true,
    says: [/12 backups \(3\.0 GiB\) in nas stay at the old place/],
  },
  'an empty destination that moves is destructive, and strands nothing': {
    to: edit(shop, { 'destinations.nas': { ...nas, path: '/mnt/new' } }),
    address: 'destinations.nas',
    kind: 'change',
    destructive: true,
    silent: true,
  },
  'another password needs its key first': {
    to: edit(shop, { 'destinations.nas': { ...nas, password: '${env:NEW}' } }),
    known: twelve,
    address: 'destinations.nas',
    kind: 'change',
    destructive: true,
    says: [/tidemark key add/],
  },
  'labels of a destination are only words': {
    to: edit(shop, { 'destinations.nas': { ...nas, labels: { region: 'eu' }, onRemove: 'orphan' } }),
    known: twelve,
    address: 'destinations.nas',
    kind: 'change',
    silent: true,
  },
  'a source keeps its driver': {
    to: edit(shop, { 'sources.shop': { driver: 'files', paths: ['/'] } }),
    address: 'sources.shop',
    kind: 'refuse',
  },
  'a changed source names the plans that read it': {
    to: edit(shop, { 'sources.shop': { ...shop['sources.shop'], host: 'db2' } }),
    address: 'sources.shop',
    kind: 'change',
    says: [/next run of nightly/],
  },
  'a removed source leaves its backups': {
    to: edit(shop, { 'sources.shop': undefined }),
    known: observed([{ plan: 'orphan' }]),
    address: 'sources.shop',
    kind: 'remove',
    destructive: true,
    says: [/restore into a folder or another source/],
  },
  'a retention that keeps less is destructive and says what happens now': {
    to: edit(shop, { 'retention.standard': { last: 9, daily: 7, within: '13d' } }),
    known: twelve,
    address: 'retention.standard',
    kind: 'change',
    destructive: true,
    says: [/nightly has 12 backups .*none of them expires by it/],
  },
  'a retention rule that goes is destructive': {
    to: edit(shop, { 'retention.standard': { last: 3, within: '14d' } }),
    address: 'retention.standard',
    kind: 'change',
    destructive: true,
    silent: true,
  },
  'a retention that keeps more is not': {
    to: edit(shop, { 'retention.standard': { last: 3, daily: 7, within: '336h', weekly: 4, minimum: 2 } }),
    known: twelve,
    address: 'retention.standard',
    kind: 'change',
    silent: true,
  },
  'a plan that gets a stricter policy is destructive': {
    to: edit(shop, { 'plans.nightly': { ...plan, retention: 'short' }, 'retention.short': { last: 3 } }),
    known: twelve,
    address: 'plans.nightly',
    kind: 'change',
    destructive: true,
    says: [/none of them expires by it/],
  },
  'a first policy for a plan that kept everything is destructive': {
    from: edit(shop, { 'plans.nightly': { ...plan, retention: undefined } }),
    to: shop,
    address: 'plans.nightly',
    kind: 'change',
    destructive: true,
    silent: true,
  },
  'a plan without policy keeps everything': {
    to: edit(shop, { 'plans.nightly': { ...plan, retention: undefined } }),
    known: twelve,
    address: 'plans.nightly',
    kind: 'change',
    silent: true,
  },
};

for (const [name, { from = shop, to, known, address, kind, destructive = false, says = [], silent }] of Object.entries(
  verdicts,
)) {
  test(name, () => {
    const set = change(from, to, known);
    const action = set.actions.find((one) => one.address === address);
    assert.deepEqual([action?.kind, action?.destructive], [kind, destructive]);
    assert.equal(hasRefusals(set), kind === 'refuse');
    if (kind === 'refuse')
      assert.ok(action?.hint !== undefined && action.spec === undefined && set.actions[0] === action);
    const texts = action!.consequences.map(({ text }) => text);
    for (const saying of says)
      assert.ok(
        texts.some((text) => saying.test(text)),
        `${saying} in ${texts.join('\n')}`,
      );
    if (silent) assert.deepEqual(texts, []);
  });
}

test('a rename moves, and what refers to it follows without consequences', () => {
  const { 'sources.shop': source, 'plans.nightly': _, ...rest } = shop;
  const renamed = {
    ...rest,
    'sources.store': { ...source, renamedFrom: 'shop' },
    'plans.daily': { ...plan, source: 'store', renamedFrom: 'nightly' },
  };
  const set = change(shop, renamed, twelve);
  assert.deepEqual(
    set.actions.map(({ kind, address, renamedFrom, destructive }) => [kind, address, renamedFrom, destructive]),
    [
      ['change', 'sources.store', 'sources.shop', false],
      ['change', 'plans.daily', 'plans.nightly', false],
    ],
  );
  const [store, daily] = set.actions;
  assert.deepEqual(daily?.fields, [{ path: ['source'], before: 'shop', after: 'store' }]);
  assert.equal(daily?.reason, 'renamed from plans.nightly');
  for (const action of [store!, daily!]) {
    assert.deepEqual(
      action.consequences.map(({ kind }) => kind),
      ['backups-moved'],
    );
    assert.equal(action.spec?.renamedFrom, undefined);
  }
});

test('a plan whose source is renamed only follows', () => {
  const { 'sources.shop': source, ...rest } = shop;
  const renamed = {
    ...rest,
    'sources.store': { ...source, renamedFrom: 'shop' },
    'plans.nightly': { ...plan, source: 'store' },
  };
  const action = change(shop, renamed, twelve).actions.find(({ address }) => address === 'plans.nightly');
  assert.deepEqual([action?.kind, action?.reason], ['change', 'follows what it refers to, which is renamed']);
  assert.deepEqual(action?.consequences, []);
});

test('a renamed plan that also changes tells both', () => {
  const { 'plans.nightly': _, ...rest } = shop;
  const renamed = { ...rest, 'plans.daily': { ...plan, schedule: '0 6 * * *', renamedFrom: 'nightly' } };
  const [action] = change(shop, renamed, twelve).actions;
  assert.equal(action?.reason, 'renamed from plans.nightly, differs in schedule');
  assert.deepEqual(
    action?.consequences.map(({ kind }) => kind),
    ['backups-moved', 'next-run'],
  );
});

test('renamedFrom that is done, or names nothing, is no change', () => {
  const done = edit(shop, { 'plans.nightly': { ...plan, renamedFrom: 'old' } });
  assert.ok(isEmpty(change(shop, done)));
  const [action] = change({}, { 'sources.a': { driver: 'files', renamedFrom: 'never' } }).actions;
  assert.deepEqual([action?.kind, action?.renamedFrom, action?.spec], ['add', undefined, { driver: 'files' }]);
});

test('the fingerprint tells changes and applied states apart, and nothing else', () => {
  const after = edit(shop, { 'sources.shop': { ...shop['sources.shop'], port: 1 } });
  const one = change(shop, after);
  const print = (input: Partial<ReturnType<typeof appliedState>>, to = after, time = now) =>
    changeAt({ ...appliedState(shop), ...input }, to, time);
  assert.equal(print({}, after, new Date(0)), one.fingerprint);
  assert.notEqual(print({ serial: 5 }), one.fingerprint);
  assert.notEqual(print({ lineage: 'other' }), one.fingerprint);
  const other = edit(shop, { 'sources.shop': { ...shop['sources.shop'], port: 2 } });
  assert.notEqual(print({}, other), one.fingerprint);
});

function changeAt(applied: ReturnType<typeof appliedState>, to: Specs, time: Date): string {
  return diff({ desired: configuration(to), applied, observed: observed(), now: time }).fingerprint;
}

function addresses(set: ReturnType<typeof change>): string[] {
  return set.actions.map(({ address }) => address);
}

test('a driver says which of its settings move it; of a driver that is not known, any may', () => {
  const after = edit(shop, { 'destinations.nas': { ...nas, requireMount: true } });
  const input = { desired: configuration(after), applied: appliedState(shop), observed: twelve, now };
  const strands = (destinations?: DiffInput['destinations']) =>
    diff({ ...input, destinations }).actions[0]!.consequences.some(({ kind }) => kind === 'backups-stranded');
  assert.equal(strands([{ kind: 'local', placeSettings: ['path'] }]), false);
  assert.equal(strands([{ kind: 'local', placeSettings: ['requireMount'] }]), true);
  assert.equal(strands(), true);
});
