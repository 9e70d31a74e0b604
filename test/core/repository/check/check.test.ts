import assert from 'node:assert/strict';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { TidemarkError } from '../../../../core/error.ts';
import type { CheckOptions, CheckReport } from '../../../../core/repository/index.ts';
import { FaultyStore } from '../../../kit/faulty-store.ts';
import { coded, localStore, newPlace, noSignal, reopen } from '../repository-kit.ts';
import { check, filesIn, flip, told, twoFiles, work } from './check-kit.ts';
import { damages, isFine, twoBackups } from './damages.ts';

const all = { read: { share: 1 } } as const;

test('every damage is found, with what it hurts, and what stock restic finds', async (t) => {
  for (const [name, damage] of Object.entries(damages)) {
    await t.test(name, async (t) => {
      const place = await newPlace(t);
      const files = await twoBackups(place);
      await damage.does(place, files);
      const report = await check(place.repository, { ...all, ...damage.options });
      const lines = told(report);
      assert.equal(lines.length, damage.finds.length, lines.join('\n'));
      for (const [at, pattern] of damage.finds.entries()) assert.match(lines[at]!, pattern);
      assert.equal(report.hurtBackups, damage.hurtBackups);
      const isHarmless = lines.every((line) => line.startsWith('pack-unindexed'));
      assert.equal(report.verdict, isHarmless ? 'good' : 'damaged');
      if (damage.isFineForRestic !== undefined) assert.equal(await isFine(place), damage.isFineForRestic);
    });
  }
});

test('what the catalog knows and the repository lacks is found, also when all snapshots are gone', async (t) => {
  const place = await newPlace(t);
  const { snapshots } = await twoBackups(place);
  const known = snapshots.map((snapshot, at) => ({
    snapshot,
    backup: `B${at}`,
    plan: 'p',
    time: `2026-01-0${at + 1}`,
  }));
  await rm(join(place.folder, 'snapshots', snapshots[0]));
  const one = await check(place.repository, { known });
  assert.deepEqual([one.verdict, one.backups, one.hurtBackups], ['damaged', 2, 1]);
  assert.match(told(one)[0]!, /^snapshot-gone snapshots\/.*the catalog lists this backup/);
  assert.deepEqual(one.findings[0]!.hurts, [{ ...known[0], paths: [], count: 0 }]);
  await rm(join(place.folder, 'snapshots', snapshots[1]));
  const emptied = { sawEmptied: async () => true };
  const deleted = await check(place.repository, { known: known.slice(0, 1), knownNow: async () => [], ...emptied });
  assert.deepEqual([deleted.verdict, deleted.hurt], ['good', []], 'it was deleted while the check looked');
  const both = await check(place.repository, { known });
  assert.deepEqual([both.verdict, both.hurtBackups, told(both).length], ['damaged', 2, 2]);
});

test('a blob that lies in two packs is not lost with one of them', async (t) => {
  const place = await newPlace(t);
  await twoFiles(place, 'same');
  const [index] = await filesIn(place.folder, 'index');
  const first = await filesIn(place.folder, 'data');
  await rename(index!, join(place.folder, 'aside'));
  await twoFiles(place, 'same');
  await rename(join(place.folder, 'aside'), index!);
  const sound = await check(place.repository, all);
  assert.deepEqual([sound.verdict, sound.packs], ['good', 4]);
  for (const pack of first) await rm(pack);
  const one = await check(place.repository, all);
  assert.deepEqual([one.verdict, one.counts.damage, one.hurtBackups], ['damaged', 2, 0], told(one).join('\n'));
  const [second] = (await filesIn(place.folder, 'data')).filter((path) => !first.includes(path));
  await flip(second!, 50);
  assert.equal((await check(place.repository, all)).hurtBackups, 2);
});

test('slices read all data in one round, whatever comes and goes, and what was bad is read again each time', async (t) => {
  const place = await newPlace(t);
  for (const seed of ['a', 'b']) await twoFiles(place, seed);
  const packs = (await filesIn(place.folder, 'data')).map((path) => basename(path)).sort();
  const read: number[] = [];
  let after: string | undefined;
  for (let slice = 0; slice < packs.length; slice++) {
    const report = await check(place.repository, { read: { bytes: 1 }, ...(after && { after }) });
    assert.deepEqual(
      [report.read.packs, report.read.through, report.read.endsRound],
      [1, packs[slice], slice === packs.length - 1],
    );
    read.push(report.read.packs);
    after = report.read.through;
  }
  const again = await check(place.repository, { read: { bytes: 1 }, after: after! });
  assert.equal(again.read.through, packs[0], 'the next round begins');
  const last = (await filesIn(place.folder, 'data')).find((path) => basename(path) === packs.at(-1))!;
  await flip(last, 20);
  const missed = await check(place.repository, { read: { bytes: 1 } });
  const suspected = await check(place.repository, { read: { bytes: 1 }, suspects: [packs.at(-1)!] });
  assert.deepEqual(suspected.verdict, 'damaged');
  assert.deepEqual(suspected.suspects, [packs.at(-1)]);
  assert(missed.verdict === 'good' || missed.suspects.length === 0);
});

/** The smallest pack and the largest, as they are asked for. */
async function bySize(folder: string): Promise<readonly [smallest: RegExp, largest: RegExp]> {
  const paths = await filesIn(folder, 'data');
  const sizes = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  const sorted = sizes.toSorted((a, b) => a.size - b.size).map(({ path }) => new RegExp(`^data/../${basename(path)}`));
  return [sorted[0]!, sorted.at(-1)!];
}

test('a check that could not look at everything is never good', async (t) => {
  const place = await newPlace(t);
  await twoBackups(place);
  const faulty = new FaultyStore(await localStore(place.folder));
  const repository = await reopen(faulty);
  const denied = new TidemarkError('DESTINATION_DENIED', 'permission denied');
  const away = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');
  const outcome = async (options: Partial<CheckOptions> = all) => {
    const report: CheckReport = await check(repository, options);
    faulty.assertAllHit();
    return report;
  };
  const [trees, data] = await bySize(place.folder); // trees are read at the same time
  faulty.plan({ method: 'get', match: data, kind: 'error', error: denied });
  const unread = await outcome();
  assert.deepEqual([unread.verdict, unread.counts.unread], ['incomplete', 1]);
  assert.match(told(unread)[0]!, /^pack-unread data.*nothing is known of it: permission denied/);
  faulty.plan({ method: 'get', match: /^snapshots\//, kind: 'error', error: denied });
  assert.match(told(await outcome())[0]!, /^snapshot-unread/);
  for (const match of [trees, data]) {
    faulty.plan({ method: 'get', match, kind: 'error', error: away });
    await assert.rejects(outcome(), coded('DESTINATION_UNREACHABLE'), `get ${match}`);
  }
  for (const match of [/^keys/, /^index/, /^snapshots/, /^data/]) {
    faulty.plan({ method: 'list', match, kind: 'error', error: away });
    await assert.rejects(outcome(), coded('DESTINATION_UNREACHABLE'), `list ${match}`);
    faulty.plan({ method: 'list', match, kind: 'cut', after: 0, error: away });
    await assert.rejects(outcome(), coded('DESTINATION_UNREACHABLE'), `cut list ${match}`);
    faulty.plan({ method: 'get', match, kind: 'error', error: away });
    await assert.rejects(outcome(), coded('DESTINATION_UNREACHABLE'), `get ${match}`);
    faulty.assertAllHit();
  }
  const bad = new TidemarkError('REPOSITORY_CORRUPT', 'a bad sector');
  faulty.plan({ method: 'get', match: /^data/, kind: 'error', error: bad });
  assert.equal((await outcome()).verdict, 'good', 'read once more in pieces, nothing of it is lost');
  const ending = new AbortController();
  faulty.plan({ method: 'get', match: /^data/, kind: 'stall' });
  await using _ = await repository.lock('shared', noSignal);
  const options = { ...all, destination: 'test', known: [] };
  const cancelled = repository.check(options, { ...work, signal: ending.signal });
  ending.abort(new TidemarkError('CANCELLED', 'enough'));
  await assert.rejects(cancelled, coded('CANCELLED'));
});

test('a damaged mark, for which backups are refused, and a damaged pin are named; an empty mark hurts nobody', async (t) => {
  const place = await newPlace(t);
  const bad = { marks: 'a'.repeat(64), pins: 'b'.repeat(64) };
  for (const [kind, id] of Object.entries(bad))
    await place.store.put(`${kind}/${id}`, Buffer.from('nonsense'.repeat(9)));
  await place.store.put(`marks/${'c'.repeat(64)}`, new Uint8Array(0));
  const report = await check(place.repository, { read: { share: 1 } });
  assert.equal(report.verdict, 'damaged');
  const named = told(report)
    .map((text) => text.split(':')[0])
    .sort();
  assert.deepEqual(named, [`mark-damaged marks/${bad.marks}`, `pin-damaged pins/${bad.pins}`]);
});

test('what is bad in a pack that no index names is read again until it is mended', async (t) => {
  const place = await newPlace(t);
  const { index, dataPack } = await twoBackups(place);
  await rm(index);
  await flip(dataPack, 100);
  const { suspects } = await check(place.repository, all);
  assert.deepEqual(suspects, [basename(dataPack)]);
  const again = await check(place.repository, { suspects });
  assert.deepEqual([again.verdict, again.hurtBackups, again.suspects], ['damaged', 1, suspects]);
});
