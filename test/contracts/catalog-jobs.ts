import assert from 'node:assert/strict';
import type { Job, ProcessFate } from '../../core/catalog/index.ts';
import { hasCode, TidemarkError } from '../../core/error.ts';
import type { CatalogCase } from './catalog.ts';
import { job } from './catalog-samples.ts';

const lease = { owner: 'me', leaseMs: 60_000 };
const failure = { code: 'SOURCE_UNREACHABLE', message: 'no answer', subject: 'sources.shop' } as const;

export const jobCases: Readonly<Record<string, CatalogCase>> = {
  async 'a job lives from queued to succeeded'(_t, catalog, clock) {
    const queued = await catalog.jobs.add(job());
    assert.deepEqual([queued.state, queued.attempt, queued.queuedAt], ['queued', 0, clock.now()]);
    assert.deepEqual(await catalog.jobs.get(queued.id), queued);
    clock.advance(1000);
    const running = await catalog.jobs.claim(lease);
    assert.deepEqual([running?.id, running?.state, running?.attempt], [queued.id, 'running', 1]);
    assert.deepEqual(running?.lease, { owner: 'me', until: new Date(clock.now().getTime() + 60_000), fence: 1 });
    assert.deepEqual(running?.startedAt, clock.now());
    clock.advance(1000);
    const progress = { step: 'reading', doneBytes: 7, doneItems: 1, at: clock.now() };
    const renewed = await catalog.jobs.renew(queued.id, { ...lease, fence: 1 }, progress);
    assert.deepEqual(renewed.progress, progress);
    assert.deepEqual(renewed.lease?.until, new Date(clock.now().getTime() + 60_000));
    const done = await catalog.jobs.transition(running!, 'succeeded', { result: { backup: 'x' } });
    assert.deepEqual([done.state, done.result, done.endedAt], ['succeeded', { backup: 'x' }, clock.now()]);
    assert.equal(done.lease, undefined);
    assert.deepEqual(await catalog.jobs.get(queued.id), done);
  },

  async 'a retry waits for its time and counts its attempt'(_t, catalog, clock) {
    await catalog.jobs.add(job());
    const first = await catalog.jobs.claim(lease);
    const notBefore = new Date(clock.now().getTime() + 5000);
    const waiting = await catalog.jobs.transition(first!, 'queued', { error: failure, notBefore });
    assert.deepEqual([waiting.state, waiting.notBefore, waiting.error], ['queued', notBefore, failure]);
    assert.equal(await catalog.jobs.claim(lease), undefined);
    clock.advance(5000);
    const second = await catalog.jobs.claim(lease);
    assert.deepEqual([second?.attempt, second?.lease?.fence, second?.error], [2, 2, undefined]);
  },

  async 'one backup of a type runs per source, the oldest first'(_t, catalog, clock) {
    const ids: string[] = [];
    for (const change of [{}, {}, { kind: 'restore', uses: [] }, { source: 'uploads' }]) {
      ids.push((await catalog.jobs.add(job(change))).id);
      clock.advance(1);
    }
    const claimed = async () => (await catalog.jobs.claim(lease))?.id;
    const first = await catalog.jobs.claim(lease);
    assert.equal(first?.id, ids[0]);
    assert.deepEqual([await claimed(), await claimed(), await claimed()], [ids[2], ids[3], undefined]);
    await catalog.jobs.transition(first!, 'failed', { error: failure });
    assert.equal(await claimed(), ids[1]);
  },

  async 'a claim by id takes that job or none'(_t, catalog) {
    const [first, second] = [await catalog.jobs.add(job()), await catalog.jobs.add(job())];
    assert.equal((await catalog.jobs.claim({ ...lease, id: second.id }))?.id, second.id);
    assert.equal(await catalog.jobs.claim({ ...lease, id: second.id }), undefined);
    assert.equal(await catalog.jobs.claim({ ...lease, id: first.id }), undefined, 'its source is busy');
  },

  async 'only the holder of the newest fence changes a job'(_t, catalog, clock) {
    await catalog.jobs.add(job());
    const old = (await catalog.jobs.claim(lease))!;
    await catalog.jobs.transition(old, 'queued');
    const current = (await catalog.jobs.claim({ owner: 'other', leaseMs: 60_000 }))!;
    const lost = (thrown: unknown) => hasCode(thrown, 'JOB_LOST');
    const conflict = (thrown: unknown) => hasCode(thrown, 'JOB_CONFLICT');
    await assert.rejects(catalog.jobs.renew(old.id, { ...lease, fence: old.lease!.fence }), lost);
    await assert.rejects(catalog.jobs.renew(old.id, { ...lease, fence: current.lease!.fence }), lost);
    await assert.rejects(catalog.jobs.transition(old, 'succeeded'), conflict);
    await catalog.jobs.transition(current, 'succeeded');
    await assert.rejects(catalog.jobs.transition(current, 'failed'), conflict);
    await assert.rejects(catalog.jobs.renew(old.id, { owner: 'other', leaseMs: 1, fence: 2 }), lost);
    clock.advance(1);
  },

  async 'no job goes a way that the table does not have'(_t, catalog) {
    const queued = await catalog.jobs.add(job());
    const conflict = (thrown: unknown) => hasCode(thrown, 'JOB_CONFLICT');
    await assert.rejects(catalog.jobs.transition(queued, 'succeeded'), conflict);
    await assert.rejects(catalog.jobs.transition(queued, 'running'), TidemarkError);
    const running = (await catalog.jobs.claim(lease))!;
    await assert.rejects(catalog.jobs.transition(running, 'missed'), conflict);
    const ended = await catalog.jobs.transition(running, 'partial');
    await assert.rejects(catalog.jobs.transition(ended, 'queued'), conflict);
  },

  async 'a lease that ended may be renewed until its job was taken over, which a renewal forbids'(_t, catalog, clock) {
    await catalog.jobs.add(job());
    const running = (await catalog.jobs.claim(lease))!;
    clock.advance(59_999);
    assert.deepEqual(await catalog.jobs.abandoned(() => 'unknown'), []);
    clock.advance(1);
    assert.deepEqual(await catalog.jobs.abandoned(() => 'unknown'), [running]);
    const renew = () => catalog.jobs.renew(running.id, { ...lease, fence: 1 });
    const renewed = await renew();
    const error = { code: 'JOB_LOST', message: 'died' } as const;
    const takeOver = (seen: Job) => catalog.jobs.transition(seen, 'failed', { error }, { unlessRenewed: true });
    await assert.rejects(takeOver(running), (thrown) => hasCode(thrown, 'JOB_CONFLICT'));
    clock.advance(60_000);
    await takeOver(renewed);
    await assert.rejects(renew(), (thrown) => hasCode(thrown, 'JOB_LOST'));
    assert.deepEqual(await catalog.jobs.abandoned(() => 'unknown'), []);
  },

  async 'a queued job is abandoned when its waiter is, and a running one with its process'(_t, catalog, clock) {
    const waiter = { owner: 'verb', leaseMs: 60_000 };
    const waiting = await catalog.jobs.add(job({ waiter }));
    await catalog.jobs.add(job());
    const abandoned = async (fate: ProcessFate) => (await catalog.jobs.abandoned(() => fate)).map(({ id }) => id);
    assert.deepEqual(
      [await abandoned('alive'), await abandoned('unknown'), await abandoned('gone')],
      [[], [], [waiting.id]],
    );
    clock.advance(59_000);
    await catalog.jobs.keepWaiting(waiting.id, waiter);
    await catalog.jobs.keepWaiting(waiting.id, { owner: 'another', leaseMs: 600_000 });
    clock.advance(59_000);
    assert.deepEqual(await abandoned('unknown'), []);
    clock.advance(1_000);
    assert.deepEqual([await abandoned('alive'), await abandoned('unknown')], [[], [waiting.id]]);
    const running = await catalog.jobs.claim({ ...lease, id: waiting.id });
    assert.deepEqual(
      [await abandoned('alive'), await abandoned('unknown'), await abandoned('gone')],
      [[], [], [waiting.id]],
    );
    clock.advance(60_000);
    assert.deepEqual(await abandoned('alive'), [waiting.id], 'a lease ends whoever holds it');
    await catalog.jobs.transition(running!, 'failed');
    assert.deepEqual(await abandoned('gone'), []);
  },

  async 'a cancel ends a queued job and asks a running one'(_t, catalog) {
    const queued = await catalog.jobs.requestCancel((await catalog.jobs.add(job())).id);
    assert.deepEqual([queued.state, queued.cancelRequested], ['cancelled', true]);
    await catalog.jobs.add(job());
    const running = (await catalog.jobs.claim(lease))!;
    const asked = await catalog.jobs.requestCancel(running.id);
    assert.deepEqual([asked.state, asked.cancelRequested], ['running', true]);
    assert.equal((await catalog.jobs.renew(running.id, { ...lease, fence: 1 })).cancelRequested, true);
    const ended = await catalog.jobs.transition(running, 'queued');
    assert.equal(ended.state, 'cancelled', 'a retry does not undo a cancel');
    await assert.rejects(catalog.jobs.requestCancel(running.id), (thrown) => hasCode(thrown, 'JOB_CONFLICT'));
    await assert.rejects(catalog.jobs.requestCancel('none'), (thrown) => hasCode(thrown, 'JOB_NOT_FOUND'));
  },

  async 'old jobs are forgotten, but for the newest of each plan and outcome and what has not ended'(
    _t,
    catalog,
    clock,
  ) {
    const ended: Record<string, string[]> = { failed: [], succeeded: [] };
    const waiting = await catalog.jobs.add(job({ kind: 'follow', source: 'uploads', uses: [] }));
    for (let count = 0; count < 6; count++) {
      clock.advance(1000);
      await catalog.jobs.add(job(count % 2 ? { plan: undefined, kind: 'restore', uses: [] } : {}));
      const running = (await catalog.jobs.claim({ ...lease, kinds: [count % 2 ? 'restore' : 'backup'] }))!;
      const to = count < 2 ? 'failed' : 'succeeded';
      ended[to]!.push((await catalog.jobs.transition(running, to)).id);
    }
    const all = { before: new Date(clock.now().getTime() + 1), most: 1000 };
    assert.equal(await catalog.jobs.forget({ ...all, before: new Date(0) }), 0);
    assert.equal(await catalog.jobs.forget(all), 2);
    const left = (await catalog.jobs.list()).map(({ id }) => id).sort();
    assert.deepEqual(left, [waiting.id, ...ended.failed!, ...ended.succeeded!.slice(2)].sort());
    assert.equal(await catalog.jobs.forget(all), 0);
  },

  async 'of the jobs of destinations the newest of each stays'(_t, catalog, clock) {
    const ended: string[] = [];
    for (const destination of ['nas', 'nas', 'vault']) {
      const { id } = await catalog.jobs.add(job({ source: '', plan: undefined, destination, uses: [] }));
      await catalog.jobs.transition((await catalog.jobs.claim({ ...lease, id }))!, 'succeeded');
      ended.push(id);
      clock.advance(1000);
    }
    assert.equal(await catalog.jobs.forget({ before: clock.now(), most: 1000 }), 1);
    assert.deepEqual((await catalog.jobs.list()).map(({ id }) => id).sort(), ended.slice(1).sort());
  },

  async 'more jobs and events than are to be kept go, the oldest first, some at a time'(_t, catalog, clock) {
    const missed = (count: number) => Array.from({ length: count }, () => job({ state: 'missed' }));
    for (const [at, jobs] of [missed(300), missed(300), missed(12)].entries()) {
      clock.advance(1);
      await catalog.plans.schedule({ plan: `p${at}`, from: undefined, to: clock.now(), jobs });
    }
    for (let count = 0; count < 25; count++) {
      clock.advance(1);
      await catalog.events.record({ kind: 'test', level: 'info', subject: 'x', text: `${count}` });
    }
    const limits = { before: new Date(0), most: 10 };
    const { jobs, events } = catalog;
    assert.deepEqual([await jobs.forget(limits), await jobs.forget(limits), await jobs.forget(limits)], [500, 100, 0]);
    assert.equal((await jobs.list()).length, 12, 'those of one time stay together');
    assert.deepEqual([await events.forget(limits), await events.forget(limits)], [15, 0]);
    const left = await events.list();
    assert.deepEqual([left.length, left[0]?.text, left[9]?.text], [10, '24', '15']);
    assert.equal(await events.forget({ before: clock.now(), most: 10 }), 9);
  },

  async 'jobs are listed newest first, filtered and bounded, and found by a part of their id'(_t, catalog, clock) {
    const start = clock.now();
    for (let count = 0; count < 120; count++) {
      clock.advance(1);
      await catalog.jobs.add(job({ plan: `p${count % 2}`, state: count === 7 ? 'missed' : 'queued' }));
    }
    const all = await catalog.jobs.list();
    assert.equal(all.length, 100);
    assert.ok(all.every((one, at) => at === 0 || one.queuedAt < all[at - 1]!.queuedAt));
    assert.equal((await catalog.jobs.list({ plan: 'p0', limit: 1000 })).length, 60);
    const [missed] = await catalog.jobs.list({ states: ['missed', 'failed'] });
    assert.deepEqual(missed?.endedAt, missed?.queuedAt);
    assert.equal((await catalog.jobs.list({ since: new Date(start.getTime() + 111) })).length, 10);
    assert.deepEqual(await catalog.jobs.list({ kind: 'restore' }), []);
    assert.deepEqual(await catalog.jobs.get(missed!.id.slice(-10).toLowerCase()), missed);
    for (const part of ['01', '', '%']) {
      await assert.rejects(catalog.jobs.get(part), (thrown) => hasCode(thrown, 'JOB_NOT_FOUND'));
    }
  },
};
