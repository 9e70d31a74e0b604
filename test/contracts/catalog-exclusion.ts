import assert from 'node:assert/strict';
import type { Catalog, JobUse } from '../../core/catalog/index.ts';
import { destinationJob } from '../../core/job/index.ts';
import type { CatalogCase } from './catalog.ts';
import { job, resource } from './catalog-samples.ts';

const lease = { owner: 'me', leaseMs: 60_000 };

export function writes(thing: string): { kind: string; uses: JobUse[] } {
  return { kind: 'restore', uses: [{ thing, mode: 'write' }] };
}

async function claimedIds(catalog: Catalog): Promise<string[]> {
  const ids: string[] = [];
  for (let one = await catalog.jobs.claim(lease); one !== undefined; one = await catalog.jobs.claim(lease)) {
    ids.push(one.id);
  }
  return ids;
}

async function commit(catalog: Catalog, change: { put?: object[]; rename?: { from: string; to: string }[] }) {
  const { serial } = await catalog.state.read();
  const { put = [], rename = [] } = change as { put?: never[]; rename?: { from: string; to: string }[] };
  await catalog.state.commit({ expectedSerial: serial, put, remove: [], rename });
}

/** What may not run at a time. */
export const exclusionCases: Readonly<Record<string, CatalogCase>> = {
  async 'a source that is written is left alone by every other job, and the other way round'(_t, catalog) {
    const restore = await catalog.jobs.add(job(writes('sources.shop')));
    await catalog.jobs.add(job());
    await catalog.jobs.add(job(writes('sources.shop')));
    const other = await catalog.jobs.add(job({ source: 'uploads' }));
    assert.deepEqual(await claimedIds(catalog), [restore.id, other.id]);
    await catalog.jobs.transition((await catalog.jobs.get(restore.id))!, 'succeeded');
    const [backup] = await claimedIds(catalog);
    assert.equal((await catalog.jobs.get(backup!)).kind, 'backup');
    assert.deepEqual(await claimedIds(catalog), [], 'the second restore waits for the backup');
  },

  async 'backups of one source of two types go side by side, two of one type do not'(_t, catalog) {
    const uses = (type: string): JobUse[] => [
      { thing: 'sources.shop', mode: 'read' },
      { thing: `backups:${type}:sources.shop`, mode: 'write' },
    ];
    const ids: string[] = [];
    for (const type of ['logical', 'logical', 'physical'])
      ids.push((await catalog.jobs.add(job({ uses: uses(type) }))).id);
    assert.deepEqual(await claimedIds(catalog), [ids[0], ids[2]]);
  },

  async 'two addresses of one server are one thing'(_t, catalog) {
    const put = ['shop', 'shop-by-socket', 'other'].map((name) => ({
      ...resource(`sources.${name}`),
      identity: name === 'other' ? 'uuid-2' : 'uuid-1',
    }));
    await commit(catalog, { put });
    const backup = await catalog.jobs.add(job());
    const same = await catalog.jobs.add(job(writes('sources.shop-by-socket')));
    const other = await catalog.jobs.add(job(writes('sources.other')));
    assert.deepEqual(await claimedIds(catalog), [backup.id, other.id]);
    assert.deepEqual(
      (await catalog.jobs.rivals(same.uses)).map((rival) => [rival.job.id, rival.use]),
      [[backup.id, { thing: 'sources.shop', mode: 'read' }]],
    );
  },

  async 'what frees space in a repository is alone in it by whatever name, and leaves backups and looks at others be'(
    _t,
    catalog,
  ) {
    const put = ['nas', 'nas-by-path', 'vault'].map((name) => ({
      ...resource(`destinations.${name}`),
      identity: name === 'vault' ? 'repository-2' : 'repository-1',
    }));
    await commit(catalog, { put });
    const add = (destination: string, mode: 'read' | 'write') =>
      catalog.jobs.add(destinationJob({ kind: 'space', destination, trigger: 'manual', request: {}, mode }));
    const free = await add('nas', 'write');
    const same = [await add('nas', 'write'), await add('nas-by-path', 'write'), await add('nas', 'read')];
    const others = [await add('vault', 'read'), await add('vault', 'read'), await catalog.jobs.add(job())];
    assert.deepEqual(
      await claimedIds(catalog),
      [free, ...others].map(({ id }) => id),
    );
    assert.deepEqual(
      (await catalog.jobs.rivals(same[1]!.uses)).map((rival) => rival.job.id),
      [free.id],
    );
  },

  async 'a folder holds what is below it, and nothing that only looks so'(_t, catalog) {
    const ids = new Map<string, string>();
    for (const path of ['/srv/a', '/srv/a/b', '/srv/ab', '/srv']) {
      ids.set(path, (await catalog.jobs.add(job(writes(`folder:${path}`)))).id);
    }
    assert.deepEqual(await claimedIds(catalog), [ids.get('/srv/a'), ids.get('/srv/ab')]);
    const root = await catalog.jobs.rivals([{ thing: 'folder:/', mode: 'write' }]);
    assert.equal(root.length, 2);
  },

  async 'what an event says of a repository goes with the rename of its destination'(_t, catalog) {
    const add = (kind: string, subject: string, text: string) =>
      catalog.events.record({ kind, level: 'error', subject, text });
    await commit(catalog, { put: [resource('destinations.nas')] });
    await add('repository.damaged', 'destinations.vault', 'of one that was removed');
    await add('repository.damaged', 'destinations.nas', 'a pack is gone');
    await commit(catalog, { rename: [{ from: 'destinations.nas', to: 'destinations.vault' }] });
    const found = await catalog.events.list({ kind: 'repository.damaged', subject: 'destinations.vault' });
    assert.deepEqual(
      found.map(({ text }) => text),
      ['a pack is gone'],
    );
  },

  async 'a restore that waits follows the rename of its target and goes on excluding'(_t, catalog) {
    await commit(catalog, { put: [resource('sources.copy'), resource('sources.shop')] });
    const running = await catalog.jobs.add(job({ source: 'copy' }));
    assert.deepEqual(await claimedIds(catalog), [running.id]);
    const request = { backup: 'x', into: { source: 'copy' }, only: ['copy'] };
    const restore = await catalog.jobs.add(job({ ...writes('sources.copy'), plan: undefined, request }));
    await commit(catalog, { rename: [{ from: 'sources.copy', to: 'sources.twin' }] });
    const moved = await catalog.jobs.get(restore.id);
    assert.deepEqual(moved.request, { backup: 'x', into: { source: 'twin' }, only: ['copy'] });
    assert.deepEqual(moved.uses, [{ thing: 'sources.twin', mode: 'write' }]);
    assert.deepEqual(
      (await catalog.jobs.get(running.id)).uses.map(({ thing }) => thing),
      ['sources.twin', 'backups:logical:sources.twin'],
    );
    assert.deepEqual(await claimedIds(catalog), [], 'the backup that began under the old name still reads it');
  },

  async 'a restore that has ended is known by the new name of what it wrote and of what it read'(_t, catalog) {
    await commit(catalog, { put: [resource('sources.shop'), resource('plans.nightly')] });
    const request = { backup: { plan: 'nightly', source: 'shop' }, target: { source: 'shop' }, only: [] };
    const { id } = await catalog.jobs.add(job({ ...writes('sources.shop'), plan: undefined, request }));
    await catalog.jobs.transition((await catalog.jobs.claim({ ...lease, id }))!, 'failed');
    const rename = [
      { from: 'sources.shop', to: 'sources.store' },
      { from: 'plans.nightly', to: 'plans.daily' },
    ];
    for (const one of rename) await commit(catalog, { rename: [one] });
    const { uses, request: told } = await catalog.jobs.get(id);
    assert.deepEqual(uses, [{ thing: 'sources.store', mode: 'write' }]);
    assert.deepEqual(told, { backup: { plan: 'daily', source: 'store' }, target: { source: 'store' }, only: [] });
  },

  async 'a claim of some kinds leaves the others'(_t, catalog) {
    await catalog.jobs.add(job());
    const other = await catalog.jobs.add(job({ kind: 'follow', uses: [] }));
    assert.equal((await catalog.jobs.claim({ ...lease, kinds: ['follow'] }))?.id, other.id);
    assert.equal(await catalog.jobs.claim({ ...lease, kinds: ['follow'] }), undefined);
  },

  async 'a job behind very many that wait for others is found'(_t, catalog, clock) {
    await catalog.jobs.add(job());
    await claimedIds(catalog);
    const jobs = Array.from({ length: 450 }, () => job());
    await catalog.plans.schedule({ plan: 'nightly', from: undefined, to: clock.now(), jobs });
    clock.advance(1);
    const free = await catalog.jobs.add(job({ source: 'uploads' }));
    assert.deepEqual(await claimedIds(catalog), [free.id]);
  },
};
