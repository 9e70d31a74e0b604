import assert from 'node:assert/strict';
import { hasCode } from '../../core/error.ts';
import type { CatalogCase } from './catalog.ts';
import { daemon, job, resource } from './catalog-samples.ts';

/** Plans, events and daemons: what watches over backups. */
export const watchCases: Readonly<Record<string, CatalogCase>> = {
  async 'the status of a plan merges, and null clears'(_t, catalog, clock) {
    assert.deepEqual(await catalog.plans.get('nightly'), { plan: 'nightly' });
    const suspended = { reason: 'source-down', since: clock.now(), text: 'no answer' } as const;
    await catalog.plans.update('nightly', { suspended, lastFailureAt: clock.now() });
    await catalog.plans.update('nightly', { pausedAt: clock.now(), lastSuccessAt: undefined });
    const expected = { plan: 'nightly', suspended, lastFailureAt: clock.now(), pausedAt: clock.now() };
    assert.deepEqual(await catalog.plans.get('nightly'), expected);
    const { suspended: _, ...resumed } = expected;
    assert.deepEqual(await catalog.plans.update('nightly', { suspended: null }), resumed);
    assert.deepEqual(await catalog.plans.list(), [resumed]);
  },

  async 'a status changes from what was read, or not at all'(_t, catalog, clock) {
    const suspended = (text: string) => ({ reason: 'source-down', since: clock.now(), text }) as const;
    const none = await catalog.plans.get('nightly');
    const first = await catalog.plans.updateFrom(none, { suspended: suspended('no answer') });
    assert.deepEqual(first?.suspended, suspended('no answer'));
    assert.equal(await catalog.plans.updateFrom(none, { suspended: suspended('another') }), undefined);
    const paused = await catalog.plans.updateFrom(first!, { pausedAt: clock.now() });
    assert.equal((await catalog.plans.updateFrom(first!, { suspended: null }))?.suspended, undefined);
    await catalog.plans.update('nightly', { suspended: suspended('again') });
    assert.equal(await catalog.plans.updateFrom(paused!, { suspended: null }), undefined);
    const expected = { plan: 'nightly', pausedAt: clock.now(), suspended: suspended('again') };
    assert.deepEqual(await catalog.plans.list(), [expected]);
  },

  async 'a run is scheduled once, from where scheduling stood'(_t, catalog, clock) {
    const [first, second] = [clock.now(), new Date(clock.now().getTime() + 60_000)];
    const start = { plan: 'nightly', from: undefined, to: first, jobs: [job(), job({ state: 'missed' })] };
    const added = await catalog.plans.schedule(start);
    assert.deepEqual(
      added?.map((one) => one.state),
      ['queued', 'missed'],
    );
    assert.equal(await catalog.plans.schedule(start), undefined);
    assert.equal(await catalog.plans.schedule({ ...start, from: second, to: second }), undefined);
    assert.deepEqual(await catalog.plans.schedule({ plan: 'nightly', from: first, to: second, jobs: [] }), []);
    assert.deepEqual((await catalog.plans.get('nightly')).scheduledThrough, second);
    assert.equal((await catalog.jobs.list()).length, 2);
  },

  async 'the freeing of space in a destination is scheduled once, from where it stood, and goes with it'(
    _t,
    catalog,
    clock,
  ) {
    const put = ['nas', 'vault'].map((name) => resource(`destinations.${name}`));
    const applied = await catalog.state.commit({ expectedSerial: 0, put, remove: [], rename: [] });
    const nas = { destination: 'nas', timetable: '0 3 * * * UTC', scheduledThrough: clock.now() };
    const once = await Promise.all([0, 1].map(() => catalog.destinations.schedule({ from: undefined, to: nas })));
    assert.deepEqual(once.filter((one) => one !== undefined).length, 1);
    const later = { ...nas, scheduledThrough: new Date(clock.now().getTime() + 1000) };
    const [first, second] = [
      { from: nas, to: later, jobs: [job()] },
      { from: nas, to: later, jobs: [job()] },
    ];
    assert.equal((await catalog.destinations.schedule(first))?.length, 1);
    assert.equal(await catalog.destinations.schedule(second), undefined);
    assert.equal((await catalog.jobs.list()).length, 1);
    await catalog.destinations.schedule({ from: undefined, to: { ...nas, destination: 'vault' } });
    const rename = [{ from: 'destinations.nas', to: 'destinations.disk' }];
    await catalog.state.commit({ expectedSerial: applied.serial, put: [], remove: ['destinations.vault'], rename });
    assert.deepEqual(await catalog.destinations.list(), [{ ...later, destination: 'disk' }]);
  },

  async 'a change of a plan and its event are there together, or neither is'(_t, catalog, clock) {
    const event = { kind: 'plan.paused', level: 'info', subject: 'plans.nightly', text: 'by hand' } as const;
    const broken = { ...event, kind: null as unknown as string };
    const [none, to] = [{ plan: 'nightly' }, clock.now()];
    const run = { plan: 'nightly', from: undefined, to, jobs: [job()] };
    await assert.rejects(catalog.plans.updateFrom(none, { pausedAt: to }, broken));
    await assert.rejects(catalog.plans.schedule({ ...run, event: broken }));
    assert.deepEqual([await catalog.plans.get('nightly'), await catalog.jobs.list()], [none, []]);
    assert.notEqual(await catalog.plans.updateFrom(none, { pausedAt: to }, event), undefined);
    assert.equal(await catalog.plans.updateFrom(none, { pausedAt: null }, event), undefined);
    await catalog.plans.schedule({ ...run, event: { ...event, kind: 'job.missed' } });
    await catalog.plans.schedule({ ...run, event: { ...event, kind: 'job.missed' } });
    assert.deepEqual((await catalog.events.list()).map(({ kind, count }) => [kind, count]).toSorted(), [
      ['job.missed', 1],
      ['plan.paused', 1],
    ]);
  },

  async 'equal events in a row are one'(_t, catalog, clock) {
    const event = { kind: 'job.failed', level: 'error', subject: 'plans.nightly', text: 'no answer' } as const;
    const first = await catalog.events.record(event);
    clock.advance(1000);
    await catalog.events.record({ ...event, subject: 'plans.other' });
    const again = await catalog.events.record(event);
    assert.deepEqual(again, { ...first, count: 2, lastAt: clock.now() });
    clock.advance(1000);
    await catalog.events.record({ ...event, text: 'denied' });
    clock.advance(1000);
    await catalog.events.record(event);
    const seen = (await catalog.events.list({ subject: 'plans.nightly' })).map(({ text, count }) => [text, count]);
    assert.deepEqual(seen, [
      ['no answer', 1],
      ['denied', 1],
      ['no answer', 2],
    ]);
    assert.equal((await catalog.events.list({ kind: 'job.failed', level: 'error', since: clock.now() })).length, 1);
    assert.deepEqual(await catalog.events.list({ level: 'info' }), []);
  },

  async 'the list of events is bounded'(_t, catalog) {
    for (let count = 0; count < 105; count++) {
      await catalog.events.record({ kind: 'test', level: 'info', subject: 'x', text: `${count}` });
    }
    const texts = (await catalog.events.list()).map((event) => event.text);
    assert.deepEqual([texts.length, texts[0], texts[99]], [100, '104', '5']);
    assert.equal((await catalog.events.list({ limit: 3 })).length, 3);
  },

  async 'one daemon is alive at a time, until its beat ends or it leaves'(_t, catalog, clock) {
    const until = new Date(clock.now().getTime() + 30_000);
    const [one, two] = [daemon('a', until), daemon('b', until)];
    assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), []);
    assert.equal(await catalog.daemons.enter(one), undefined);
    assert.deepEqual(await catalog.daemons.enter(two), one);
    await assert.rejects(catalog.daemons.beat(two), (error) => hasCode(error, 'DAEMON_RUNNING'));
    await catalog.daemons.leave('b');
    assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), [one]);
    assert.deepEqual(await catalog.daemons.alive(() => 'alive'), [one]);
    assert.deepEqual(await catalog.daemons.alive(() => 'gone'), [], 'its process is known to have ended');
    const later = daemon('a', new Date(until.getTime() + 30_000));
    await catalog.daemons.beat(later);
    clock.advance(45_000);
    assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), [later]);
    clock.advance(15_000);
    assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), []);
    await catalog.daemons.beat(later); // late, and nobody took the place
    const next = daemon('b', new Date(clock.now().getTime() + 30_000));
    assert.equal(await catalog.daemons.enter(next), undefined);
    await assert.rejects(catalog.daemons.beat(later), (error) => hasCode(error, 'DAEMON_RUNNING'));
    await catalog.daemons.leave('b');
    assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), []);
    assert.equal(await catalog.daemons.enter(one), undefined, 'a place that was left is free');
  },
};
