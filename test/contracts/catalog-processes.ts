import assert from 'node:assert/strict';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { start, waitFor } from '../kit/process.ts';
import type { CatalogCase } from './catalog.ts';
import { writes } from './catalog-exclusion.ts';
import { backup, daemon, job, resource } from './catalog-samples.ts';

const program = join(import.meta.dirname, 'catalog-process.ts');

/** Several processes, or several open catalogs in one. */
export const processCases: Readonly<Record<string, CatalogCase>> = {
  async 'two processes that claim 200 jobs get each exactly once'(t, catalog, _clock, place) {
    const starting = [0, 1].map(() => start(t, process.execPath, [program, place.url, 'claim']));
    const workers = await Promise.all(starting);
    await waitFor('both to be ready', () => workers.every((worker) => worker.output().includes('ready')));
    const ids: string[] = [];
    for (let count = 0; count < 200; count++) ids.push((await catalog.jobs.add(job({ source: `s${count}` }))).id);
    await catalog.events.record({ kind: 'test', level: 'info', subject: 'jobs', text: 'no more' });
    await Promise.all(workers.map((worker) => worker.ended));
    const claimed = workers.map((worker) => JSON.parse(worker.output().split('\n')[1]!) as string[]);
    assert.deepEqual(claimed.flat().sort(), ids.sort());
    assert.ok(
      claimed.every((some) => some.length > 0),
      `both got some: ${claimed.map((some) => some.length)}`,
    );
  },

  async 'of three processes that claim jobs on few things none runs two that clash'(t, catalog, _clock, place) {
    const starting = [0, 1, 2].map(() => start(t, process.execPath, [program, place.url, 'clash']));
    const workers = await Promise.all(starting);
    await waitFor('all to be ready', () => workers.every((worker) => worker.output().includes('ready')));
    for (let count = 0; count < 90; count++) {
      const other = { source: `s${count % 2}` };
      await catalog.jobs.add(job(count % 3 === 0 ? { ...other, ...writes(`sources.s${count % 2}`) } : other));
    }
    await catalog.events.record({ kind: 'test', level: 'info', subject: 'jobs', text: 'no more' });
    await Promise.all(workers.map((worker) => worker.ended));
    assert.deepEqual(
      workers.flatMap((worker) => JSON.parse(worker.output().split('\n')[1]!) as string[]),
      [],
    );
    const ended = await catalog.jobs.list({ states: ['succeeded'], limit: 1000 });
    assert.equal(ended.length, 90);
  },

  async 'a writer killed at any moment leaves what it reported'(t, catalog, _clock, place) {
    for (let round = 0; round < 3; round++) {
      const writer = await start(t, process.execPath, [program, place.url, 'write']);
      await waitFor('some writes', () => writer.output().split('\n').length > 5 + 7 * round);
      await writer.end('SIGKILL');
      const reported = writer.output().split('\n').slice(0, -1);
      const known = new Set((await catalog.backups.list()).map((one) => one.id));
      assert.deepEqual(
        reported.filter((id) => !known.has(id)),
        [],
      );
    }
    await using again = await place.open(systemClock);
    assert.ok((await again.jobs.list()).length > 0);
  },

  async 'several open catalogs in one process do not block each other'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    const adds = Array.from({ length: 50 }, (_, at) => (at % 2 ? catalog : other).jobs.add(job({ source: `s${at}` })));
    await Promise.all(adds);
    const claims = Array.from({ length: 60 }, (_, at) =>
      (at % 2 ? catalog : other).jobs.claim({ owner: 'me', leaseMs: 1000 }),
    );
    const ids = (await Promise.all(claims)).map((one) => one?.id).filter((id) => id !== undefined);
    assert.deepEqual([ids.length, new Set(ids).size], [50, 50]);
  },

  async 'of changes to one job that come at once one wins, and a cancel is never lost'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    for (let round = 0; round < 20; round++) {
      await catalog.jobs.add(job());
      const running = (await catalog.jobs.claim({ owner: 'me', leaseMs: 60_000 }))!;
      const ends = [catalog.jobs.transition(running, 'succeeded'), other.jobs.transition(running, 'failed')];
      const results = await Promise.allSettled(ends);
      assert.deepEqual(results.map((one) => one.status).sort(), ['fulfilled', 'rejected']);

      await catalog.jobs.add(job());
      const again = (await catalog.jobs.claim({ owner: 'me', leaseMs: 60_000 }))!;
      await Promise.all([catalog.jobs.transition(again, 'queued'), other.jobs.requestCancel(again.id)]);
      assert.equal((await catalog.jobs.get(again.id)).state, 'cancelled');
    }
  },

  async 'writers of one plan at once undo nothing of each other, and one of them schedules'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    for (let round = 0; round < 20; round++) {
      const [plan, now] = [`p${round}`, clock.now()];
      await Promise.all([
        catalog.plans.update(plan, { pausedAt: now }),
        other.plans.update(plan, { lastSuccessAt: now }),
        catalog.plans.update(plan, { lastFailureAt: now }),
      ]);
      assert.deepEqual(await other.plans.get(plan), { plan, pausedAt: now, lastSuccessAt: now, lastFailureAt: now });
      const decision = { plan, from: undefined, to: now, jobs: [job({ source: plan, plan })] };
      const added = await Promise.all([catalog, other, catalog].map((one) => one.plans.schedule(decision)));
      assert.equal(added.filter((one) => one !== undefined).length, 1);
      assert.equal((await catalog.jobs.list({ plan })).length, 1);
      const fresh = { ...decision, plan: `${plan}-new`, jobs: [] };
      const first = await Promise.all([catalog, other].map((one) => one.plans.schedule(fresh)));
      assert.equal(first.filter((one) => one !== undefined).length, 1);
    }
  },

  async 'events and records that come at once are all counted'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    const event = { kind: 'test', level: 'info', subject: 'x', text: 'again' } as const;
    await catalog.events.record(event);
    const one = backup();
    const both = Array.from({ length: 40 }, (_, at) => (at % 2 ? catalog : other));
    await Promise.all(both.flatMap((catalog) => [catalog.events.record(event), catalog.backups.record(one)]));
    const counts = (await catalog.events.list()).map(({ count }) => count);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      41,
    );
    assert.equal((await catalog.backups.list()).length, 1);
  },

  async 'of daemons that enter at once one has the place, and the others learn who'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    for (let round = 0; round < 10; round++) {
      const until = new Date(clock.now().getTime() + 30_000);
      const entering = ['a', 'b', 'c', 'd'].map((owner, at) =>
        (at % 2 ? catalog : other).daemons.enter(daemon(`${owner}${round}`, until)),
      );
      const found = await Promise.all(entering);
      const [alive] = await other.daemons.alive(() => 'unknown');
      assert.equal(found.filter((one) => one === undefined).length, 1);
      assert.ok(found.every((one) => one === undefined || one.owner === alive!.owner));
      await catalog.daemons.leave(alive!.owner);
    }
  },

  async 'of two commits on one serial one wins'(_t, catalog, clock, place) {
    await using other = await place.open(clock);
    const commits = [catalog, other].map((one, at) =>
      one.state.commit({ expectedSerial: 0, put: [resource(`sources.s${at}`)], remove: [], rename: [] }),
    );
    const results = await Promise.allSettled(commits);
    assert.deepEqual(results.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await other.state.read()).resources.size, 1);
  },
};
