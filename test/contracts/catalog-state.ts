import assert from 'node:assert/strict';
import { hasCode } from '../../core/error.ts';
import { destinationJob } from '../../core/job/index.ts';
import type { CatalogCase } from './catalog.ts';
import { backup, job, resource } from './catalog-samples.ts';

const nothing = { put: [], remove: [], rename: [] };
const day = 86_400_000;

export const stateCases: Readonly<Record<string, CatalogCase>> = {
  async 'a new catalog has a lineage and nothing else'(_t, catalog) {
    const state = await catalog.state.read();
    assert.match(state.lineage, /^[0-9a-f-]{36}$/);
    assert.deepEqual([state.serial, state.appliedAt, state.resources.size], [0, undefined, 0]);
  },

  async 'a commit puts and removes, and keeps times and identity'(_t, catalog, clock) {
    const created = clock.now();
    const spec = { driver: 'mysql', password: '${env:PW}', tls: { verify: 'none' } };
    const shop = { ...resource('sources.shop', spec), identity: 'uuid-1' };
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put: [shop, resource('retention.gone')] });
    clock.advance(day);
    const state = await catalog.state.commit({
      ...nothing,
      expectedSerial: 1,
      put: [resource('sources.shop', { ...spec, port: 3307 })],
      remove: ['retention.gone'],
    });
    assert.deepEqual([state.serial, state.appliedAt], [2, clock.now()]);
    assert.deepEqual([...state.resources.keys()], ['sources.shop']);
    assert.deepEqual(state.resources.get('sources.shop'), {
      ...shop,
      spec: { ...spec, port: 3307 },
      createdAt: created,
      updatedAt: clock.now(),
    });
    assert.deepEqual(await catalog.state.read(), state);
  },

  async 'a commit on an older serial is refused whole'(_t, catalog) {
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put: [resource('sources.a')] });
    const late = catalog.state.commit({ ...nothing, expectedSerial: 0, put: [resource('sources.b')] });
    await assert.rejects(late, (error) => hasCode(error, 'CHANGE_STALE'));
    assert.deepEqual([...(await catalog.state.read()).resources.keys()], ['sources.a']);
  },

  async 'a commit that fails on the way changes nothing'(_t, catalog) {
    const put = [resource('sources.a')];
    const rename = [{ from: 'sources.none', to: 'sources.b' }];
    await assert.rejects(catalog.state.commit({ expectedSerial: 0, put, remove: [], rename }));
    const state = await catalog.state.read();
    assert.deepEqual([state.serial, state.resources.size], [0, 0]);
  },

  async 'a rename moves plan status, backups and jobs'(_t, catalog, clock) {
    const put = [resource('plans.nightly', { source: 'shop' }), resource('sources.shop'), resource('destinations.nas')];
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put });
    await catalog.plans.update('nightly', { pausedAt: clock.now() });
    await catalog.backups.record(backup());
    const waiting = await catalog.jobs.add(job({ destination: 'nas' }));
    const rename = [
      { from: 'plans.nightly', to: 'plans.daily' },
      { from: 'sources.shop', to: 'sources.store' },
      { from: 'destinations.nas', to: 'destinations.disk' },
    ];
    const state = await catalog.state.commit({ ...nothing, expectedSerial: 1, rename });
    assert.deepEqual([...state.resources.keys()].sort(), ['destinations.disk', 'plans.daily', 'sources.store']);
    assert.equal(state.resources.get('plans.daily')?.name, 'daily');
    assert.deepEqual(await catalog.plans.list(), [{ plan: 'daily', pausedAt: clock.now() }]);
    const [copy] = await catalog.backups.list({ plan: 'daily', source: 'store', destination: 'disk' });
    assert.equal((await catalog.backups.get(copy!.id)).manifest.plan, 'nightly');
    const moved = await catalog.jobs.get(waiting.id);
    assert.deepEqual([moved.plan, moved.source, moved.destination], ['daily', 'store', 'disk']);
    assert.deepEqual(moved.request, { plan: 'daily' });
  },

  async 'a removed plan leaves no status behind'(_t, catalog, clock) {
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put: [resource('plans.nightly')] });
    await catalog.plans.update('nightly', { scheduledThrough: clock.now() });
    await catalog.state.commit({ ...nothing, expectedSerial: 1, remove: ['plans.nightly'] });
    assert.deepEqual(await catalog.plans.list(), []);
  },

  async 'what a removed plan had queued is cancelled, what runs goes on'(_t, catalog, clock) {
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put: [resource('plans.nightly')] });
    const running = await catalog.jobs.add(job());
    await catalog.jobs.claim({ owner: 'daemon', leaseMs: day });
    const waiting = await catalog.jobs.add(job());
    const other = await catalog.jobs.add(job({ plan: 'weekly' }));
    await catalog.state.commit({ ...nothing, expectedSerial: 1, remove: ['plans.nightly'] });
    const cancelled = await catalog.jobs.get(waiting.id);
    assert.deepEqual([cancelled.state, cancelled.endedAt], ['cancelled', clock.now()]);
    assert.match(cancelled.error?.message ?? '', /plan nightly was removed/);
    assert.equal((await catalog.jobs.get(running.id)).state, 'running');
    assert.equal((await catalog.jobs.get(other.id)).state, 'queued');
  },

  async 'a job of a destination follows its name, and what waits of one that is removed is cancelled'(_t, catalog) {
    const put = ['nas', 'vault'].map((name) => resource(`destinations.${name}`));
    const applied = await catalog.state.commit({ expectedSerial: 0, put, remove: [], rename: [] });
    const add = (destination: string) =>
      catalog.jobs.add(destinationJob({ kind: 'space', destination, trigger: 'manual', request: {}, mode: 'write' }));
    const moved = await add('nas');
    const stranded = await add('vault');
    const rename = [{ from: 'destinations.nas', to: 'destinations.disk' }];
    await catalog.state.commit({ expectedSerial: applied.serial, put: [], remove: ['destinations.vault'], rename });
    assert.deepEqual(
      (await catalog.jobs.list({ destination: 'disk' })).map(({ id, source, uses }) => ({ id, source, uses })),
      [{ id: moved.id, source: '', uses: [{ thing: 'space:destinations.disk', mode: 'write' }] }],
    );
    const { state, error } = await catalog.jobs.get(stranded.id);
    assert.deepEqual([state, error?.code], ['cancelled', 'CANCELLED']);
  },

  async 'backups of a removed destination or of another repository are forgotten'(_t, catalog) {
    const nas = resource('destinations.nas');
    const put = [{ ...nas, identity: 'repository-1' }, resource('destinations.vault')];
    await catalog.state.commit({ ...nothing, expectedSerial: 0, put });
    for (const destination of ['nas', 'vault', 'other']) await catalog.backups.record(backup({ destination }));
    await catalog.state.commit({ ...nothing, expectedSerial: 1, put: [{ ...nas, identity: 'repository-1' }] });
    assert.equal((await catalog.backups.list({ destination: 'nas' })).length, 1);
    await catalog.state.commit({
      ...nothing,
      expectedSerial: 2,
      put: [{ ...nas, identity: 'repository-2' }],
      remove: ['destinations.vault'],
    });
    assert.deepEqual(
      (await catalog.backups.list()).map((copy) => copy.destination),
      ['other'],
    );
  },

  async 'a text longer than its column is refused, whatever the database would do with it'(_t, catalog) {
    const long = 'x'.repeat(400);
    const writes = [
      () => catalog.backups.record(backup({ plan: long })),
      () => catalog.jobs.add(job({ source: long })),
      () => catalog.events.record({ kind: 'test', level: 'info', subject: long, text: 'any length '.repeat(10_000) }),
      () => catalog.plans.update(long, { pausedAt: new Date(0) }),
      () => catalog.state.commit({ ...nothing, expectedSerial: 0, put: [resource(`sources.${long}`)] }),
    ];
    for (const write of writes) await assert.rejects(write(), { code: 'UNSUPPORTED', message: /not 4\d\d: / });
    const text = 'é'.repeat(100_000);
    await catalog.events.record({ kind: 'test', level: 'info', subject: 'x', text });
    assert.equal((await catalog.events.list())[0]?.text, text);
    const snapshot = 'ab'.repeat(32);
    const foreign = backup({ id: snapshot, snapshot, plan: '', source: `${'host.'.repeat(50)}name` });
    await catalog.backups.record(foreign);
    assert.deepEqual(await catalog.backups.get(snapshot), foreign);
  },
};
