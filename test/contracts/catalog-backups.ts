import assert from 'node:assert/strict';
import { copyThing } from '../../core/catalog/index.ts';
import { hasCode } from '../../core/error.ts';
import type { CatalogCase } from './catalog.ts';
import { backup, job } from './catalog-samples.ts';

const day = 86_400_000;

export const backupCases: Readonly<Record<string, CatalogCase>> = {
  async 'a backup comes back as it was recorded, and only once'(_t, catalog) {
    const one = backup();
    await catalog.backups.record(one);
    await catalog.backups.record(one);
    const { manifest: _m, ...listed } = one;
    assert.deepEqual(await catalog.backups.list(), [listed], 'lists have no manifests');
    assert.deepEqual(await catalog.backups.get(one.id), one);
    const { addedBytes: _, ...imported } = backup({ snapshot: 'ab'.repeat(32), partial: true });
    await catalog.backups.record(imported);
    assert.deepEqual(await catalog.backups.get(imported.id), imported);
  },

  async 'lists are newest first, filtered and bounded'(_t, catalog, clock) {
    const at = (days: number) => new Date(clock.now().getTime() + days * day);
    const all = [0, 1, 2, 3].map((days) => backup({ consistentAt: at(days), plan: days < 2 ? 'old' : 'new' }));
    for (const one of [all[2]!, all[0]!, all[3]!, all[1]!]) await catalog.backups.record(one);
    const days = async (filter?: Parameters<typeof catalog.backups.list>[0]) =>
      (await catalog.backups.list(filter)).map((one) => (one.consistentAt.getTime() - at(0).getTime()) / day);
    assert.deepEqual(await days(), [3, 2, 1, 0]);
    assert.deepEqual(await days({ plan: 'old' }), [1, 0]);
    assert.deepEqual(await days({ source: 'shop', type: 'logical', destination: 'nas', limit: 1 }), [3]);
    assert.deepEqual(await days({ until: at(2), since: at(1) }), [2, 1]);
    assert.deepEqual(await days({ since: at(1), order: 'oldest', limit: 2 }), [1, 2]);
    assert.deepEqual(await days({ type: 'physical' }), []);
  },

  async 'a copy that expires is listed so, is forgotten when it is gone, and nothing brings it back'(
    _t,
    catalog,
    clock,
  ) {
    const at = (days: number) => new Date(clock.now().getTime() + days * day);
    const [old, newest] = [backup({ consistentAt: at(0) }), backup({ consistentAt: at(1) })];
    for (const one of [old, newest]) await catalog.backups.record(one);
    assert.equal(await catalog.backups.forget('nas', [old.snapshot]), 0, 'only what expires is forgotten');
    const since = clock.now();
    assert.equal(await catalog.backups.expire(old), undefined);
    clock.advance(1000);
    assert.equal(await catalog.backups.expire(old), undefined, 'again');
    assert.deepEqual((await catalog.backups.copy('nas', old.snapshot)).expiringAt, since);
    const ids = async (expiring?: boolean) => (await catalog.backups.list({ expiring })).map(({ id }) => id);
    assert.deepEqual([await ids(false), await ids(true)], [[newest.id], [old.id]]);
    await catalog.backups.takeStock('nas', { found: [old], gone: [], damaged: new Map() });
    assert.deepEqual(await ids(true), [old.id], 'an import that still saw it changes nothing');
    const event = { kind: 'backup.expired', level: 'info', subject: 'plans.nightly', text: 'one' } as const;
    assert.equal(await catalog.backups.forget('nas', [old.snapshot, newest.snapshot], [event]), 1);
    assert.deepEqual(await ids(), [newest.id]);
    assert.equal((await catalog.events.list({ kind: 'backup.expired' })).length, 1);
    assert.deepEqual(await catalog.backups.expire(old), { why: 'gone' });
  },

  async 'the newest good copy of each plan, source and destination does not expire, but for a person'(
    _t,
    catalog,
    clock,
  ) {
    const at = (days: number) => new Date(clock.now().getTime() + days * day);
    const [good, partial] = [backup({ consistentAt: at(0) }), backup({ consistentAt: at(1), partial: true })];
    const others = [backup({ plan: 'other' }), backup({ source: 'other' }), backup({ destination: 'vault' })];
    for (const one of [good, partial, ...others]) await catalog.backups.record(one);
    for (const one of [good, ...others]) assert.deepEqual(await catalog.backups.expire(one), { why: 'last' });
    assert.equal(await catalog.backups.obstacle(good, { evenTheLast: true }), undefined);
    assert.equal((await catalog.backups.get(good.id)).expiringAt, undefined, 'looking changes nothing');
    await catalog.retained.pin('nas', good.id, { at: at(0), by: 'db1' });
    assert.deepEqual(await catalog.backups.expire(good, { evenTheLast: true }), { why: 'pinned' });
    await catalog.retained.pin('nas', good.id, undefined);
    assert.equal(await catalog.backups.expire(good, { evenTheLast: true }), undefined);
    assert.deepEqual(await catalog.backups.expire(partial), { why: 'last' }, 'it is all that there is');
  },

  async 'of the last two good copies one stays, whoever expires both at once'(_t, catalog) {
    const two = [backup({ consistentAt: new Date(0) }), backup({ consistentAt: new Date(1) })];
    for (const one of two) await catalog.backups.record(one);
    await Promise.all([0, 1, 0, 1].map((at) => catalog.backups.expire(two[at]!)));
    assert.deepEqual(
      (await catalog.backups.list({ expiring: false })).map(({ id }) => id),
      [two[1]!.id],
    );
  },

  async 'what a job that waits or runs says it reads does not expire'(_t, catalog) {
    const [old, newest] = [backup({ consistentAt: new Date(0) }), backup()];
    for (const one of [old, newest]) await catalog.backups.record(one);
    const uses = [{ thing: copyThing(old), mode: 'read' }] as const;
    const { id } = await catalog.jobs.add(job({ kind: 'restore', uses }));
    const read = { why: 'read', job: id };
    assert.deepEqual(await catalog.backups.expire(old, { evenTheLast: true }), read);
    const running = await catalog.jobs.claim({ owner: 'me', leaseMs: 60_000 });
    assert.deepEqual(await catalog.backups.obstacle(old), read);
    await catalog.jobs.transition(running!, 'failed');
    assert.equal(await catalog.backups.expire(old), undefined);
  },

  async 'a backup is found by beginning, end and snapshot, in any case'(_t, catalog) {
    const one = backup({ id: '01J0000000AAAAAAAAAAAAAAA1', snapshot: 'deadbeef'.padEnd(64, '0') });
    const two = backup({ id: '01J0000000BBBBBBBBBBBBBBB2' });
    for (const each of [one, two]) await catalog.backups.record(each);
    const found = async (part: string) => (await catalog.backups.get(part)).id;
    for (const part of [one.id, '01j0000000a', 'aaa1', 'AAA1', one.snapshot, 'deadbeef']) {
      assert.equal(await found(part), one.id, part);
    }
    await assert.rejects(found('01J'), (error) => hasCode(error, 'BACKUP_AMBIGUOUS'));
    for (const part of ['', 'zz', '%', '_1', 'deadbee']) {
      await assert.rejects(found(part), (error) => hasCode(error, 'BACKUP_NOT_FOUND'), part);
    }
  },

  async 'copies of one backup are not ambiguous'(_t, catalog) {
    const first = backup();
    await catalog.backups.record({ ...first, destination: 'vault', endedAt: new Date(first.endedAt.getTime() + 1) });
    await catalog.backups.record(first);
    assert.equal((await catalog.backups.get(first.id)).destination, 'nas');
    assert.equal((await catalog.backups.copy('vault', first.snapshot)).destination, 'vault');
    const elsewhere = catalog.backups.copy('shelf', first.snapshot);
    await assert.rejects(elsewhere, (error) => hasCode(error, 'BACKUP_NOT_FOUND'));
  },

  async 'totals count copies by plan, source and destination'(_t, catalog, clock) {
    const later = new Date(clock.now().getTime() + day);
    for (const consistentAt of [clock.now(), later]) await catalog.backups.record(backup({ consistentAt }));
    await catalog.backups.record(backup({ plan: 'weekly' }));
    const names = { source: 'shop', destination: 'nas' };
    assert.deepEqual(await catalog.backups.totals(), [
      { plan: 'nightly', ...names, copies: 2, sizeBytes: 10_000_000_000, oldestAt: clock.now(), newestAt: later },
      { plan: 'weekly', ...names, copies: 1, sizeBytes: 5_000_000_000, oldestAt: clock.now(), newestAt: clock.now() },
    ]);
  },

  async 'stock is taken of one destination: added, refreshed, forgotten, damaged, and the rest left alone'(
    _t,
    catalog,
  ) {
    const [kept, gone, broken, meanwhile] = [backup(), backup(), backup(), backup()];
    const elsewhere = backup({ destination: 'vault', snapshot: gone.snapshot });
    for (const one of [kept, gone, broken, meanwhile, elsewhere]) await catalog.backups.record(one);
    const fresh = Array.from({ length: 1200 }, () => backup());
    const { addedBytes: _, ...again } = { ...kept, plan: 'name-in-the-manifest', items: 13 };
    const stock = {
      found: [...fresh, again],
      gone: [gone.snapshot],
      damaged: new Map([
        [broken.snapshot, 'pack x is cut short'],
        ['f'.repeat(64), 'never seen'],
      ]),
    };
    assert.deepEqual(await catalog.backups.takeStock('nas', stock), { added: 1200, removed: 1 });
    assert.deepEqual(await catalog.backups.takeStock('nas', stock), { added: 0, removed: 0 });
    assert.equal((await catalog.backups.list({ limit: 10_000 })).length, 1204);
    assert.equal((await catalog.backups.list()).length, 1000);
    const { plan, addedBytes, items } = await catalog.backups.get(kept.id);
    assert.deepEqual([plan, addedBytes, items], ['nightly', 1000, 13], 'what only the catalog knows is kept');
    for (const one of [meanwhile, elsewhere]) assert.deepEqual(await catalog.backups.get(one.id), one);
    const marked = await catalog.backups.get(broken.id);
    const warnings = [...broken.warnings, 'damaged in the repository: pack x is cut short'];
    assert.deepEqual([marked.partial, marked.warnings], [true, warnings]);
    await catalog.backups.takeStock('nas', { found: [broken], gone: [], damaged: new Map() });
    assert.deepEqual(await catalog.backups.get(broken.id), broken, 'it was mended');
  },

  async 'what a check found hurt is partial for everybody until a check takes it back, whatever an import sees'(
    _t,
    catalog,
  ) {
    const [old, hurt] = [backup({ consistentAt: new Date(0) }), backup()];
    for (const one of [old, hurt, { ...hurt, destination: 'vault' }]) await catalog.backups.record(one);
    await catalog.backups.setDamage('nas', new Map([[hurt.snapshot, 'pack x']]), 'unknown');
    const stock = { found: [hurt], gone: [], damaged: new Map() };
    await catalog.backups.takeStock('nas', stock);
    assert.equal((await catalog.backups.record(hurt)).partial, true);
    const copy = await catalog.backups.copy('nas', hurt.snapshot);
    const warnings = [...hurt.warnings, 'damaged in the repository: pack x'];
    assert.deepEqual([copy.partial, copy.warnings, copy.damage], [true, warnings, 'pack x']);
    await catalog.backups.record(copy);
    assert.deepEqual(await catalog.backups.copy('nas', hurt.snapshot), copy, 'said once');
    assert.equal((await catalog.backups.copy('vault', hurt.snapshot)).partial, false);
    const ids = async () => (await catalog.backups.list({ partial: true })).map(({ snapshot }) => snapshot);
    assert.deepEqual(await ids(), [hurt.snapshot]);
    const retained = (await catalog.retained.list(['nightly'])).filter(({ destination }) => destination === 'nas');
    assert.deepEqual(
      retained.map(({ partial }) => partial),
      [true, false],
    );
    assert.deepEqual(await catalog.backups.expire(old), { why: 'last' }, 'the newest that is whole');
    await catalog.backups.setDamage('nas', new Map(), 'unknown');
    assert.deepEqual(await ids(), [hurt.snapshot], 'nobody looked');
    await catalog.backups.record(hurt);
    await catalog.backups.setDamage('nas', new Map([[old.snapshot, 'pack y']]), 'whole');
    assert.deepEqual(await catalog.backups.copy('nas', hurt.snapshot), hurt);
    assert.deepEqual(await ids(), [old.snapshot]);
  },

  async 'a pin is of a backup in a destination, and stays when the copy is recorded or imported again'(
    _t,
    catalog,
    clock,
  ) {
    const one = backup();
    const elsewhere = { ...one, destination: 'vault' };
    for (const copy of [one, elsewhere]) await catalog.backups.record(copy);
    const pin = { at: clock.now(), by: 'db1', reason: 'before the move' };
    assert.equal(await catalog.retained.pin('nas', one.id, pin), true);
    assert.equal(await catalog.retained.pin('shelf', one.id, pin), false);
    const pins = async () =>
      (await catalog.retained.list(['nightly'])).map(({ destination, pinned }) => `${destination} ${pinned}`).sort();
    assert.deepEqual(await pins(), ['nas true', 'vault false']);
    assert.deepEqual((await catalog.backups.copy('nas', one.snapshot)).pin, pin);
    assert.deepEqual((await catalog.backups.record(one)).pin, pin);
    const stock = { found: [one], gone: [], damaged: new Map() };
    await catalog.backups.takeStock('nas', stock);
    assert.deepEqual((await catalog.backups.list({ destination: 'nas' }))[0]!.pin, pin);
    await catalog.backups.takeStock('vault', { ...stock, found: [], pins: new Map([[one.id, pin]]) });
    await catalog.backups.takeStock('nas', { ...stock, pins: new Map([[one.id, undefined]]) });
    assert.deepEqual(await pins(), ['nas false', 'vault true']);
    assert.equal(await catalog.retained.pin('vault', one.id, undefined), true);
    assert.deepEqual(await pins(), ['nas false', 'vault false']);
    assert.equal(await catalog.backups.expire(elsewhere, { evenTheLast: true }), undefined);
    await catalog.retained.keep(elsewhere, pin);
    const kept = await catalog.backups.copy('vault', one.snapshot);
    assert.deepEqual([kept.pin, kept.expiringAt], [pin, undefined]);
  },

  async 'retained copies are those of the plans that are named, newest first'(_t, catalog, clock) {
    const at = (days: number) => new Date(clock.now().getTime() + days * day);
    for (const days of [1, 3, 2]) await catalog.backups.record(backup({ consistentAt: at(days), partial: days === 2 }));
    await catalog.backups.record(backup({ plan: 'weekly' }));
    const copies = await catalog.retained.list(['nightly', 'unknown']);
    assert.deepEqual(
      copies.map(({ consistentAt, partial }) => [consistentAt, partial]),
      [
        [at(3), false],
        [at(2), true],
        [at(1), false],
      ],
    );
    assert.deepEqual(await catalog.retained.list([]), []);
  },

  async 'what is made after others that are dated later is behind until a person has seen it; what is recorded anew is not'(
    _t,
    catalog,
    clock,
  ) {
    const at = (minutes: number) => new Date(clock.now().getTime() + minutes * 60_000);
    const behind = async () =>
      (await catalog.retained.list(['nightly'])).filter((copy) => copy.behind && copy.unseen).map(({ id }) => id);
    const make = async (one: ReturnType<typeof backup>) => catalog.backups.record(one, one.id);
    const [old, newest, near, back] = [0, 600, 596, 300].map((minutes) => backup({ consistentAt: at(minutes) }));
    await make(old!);
    await make(newest!);
    await make(backup({ consistentAt: at(300), destination: 'shelf' }));
    await make(near!);
    await catalog.backups.record({ ...old!, source: 'shop', partial: true }); // as a repair or a rename does
    assert.deepEqual(await behind(), []);
    await make(back!);
    assert.deepEqual(await behind(), [back!.id]);
    await catalog.retained.seen('nas', [back!.snapshot]);
    assert.deepEqual(await behind(), []);
  },
};
