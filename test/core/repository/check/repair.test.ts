import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { TidemarkError } from '../../../../core/error.ts';
import type { RepairPlan, Repository } from '../../../../core/repository/index.ts';
import type { PlanRepairOptions } from '../../../../core/repository/repair/known-manifests.ts';
import type { SnapshotChange } from '../../../../core/repository/repair/rewrite-snapshots.ts';
import { faultyStore } from '../../../kit/faulty-store.ts';
import {
  coded,
  newPlace,
  noSignal,
  randomBytes,
  readBackup,
  readContent,
  reopen,
  sha256,
  walk,
} from '../repository-kit.ts';
import { partsOf } from '../walk/parts-of.ts';
import { check, filesIn, flip, told, twoFiles, work } from './check-kit.ts';
import { damages, isFine, twoBackups } from './damages.ts';

async function plan(repository: Repository, options: Partial<PlanRepairOptions> = {}): Promise<RepairPlan> {
  await using _ = await repository.lock('shared', noSignal);
  return await repository.planRepair({ read: { share: 1 }, ...options }, work);
}

async function repair(repository: Repository, planned: RepairPlan): Promise<readonly SnapshotChange[]> {
  await using lock = await repository.lock('exclusive', noSignal);
  const options = { manifestOf: async () => undefined, onChange: async () => {} };
  return await repository.repair(lock, planned, options, work);
}

const noPins = { putBack: [], setAside: [] };
const nothing = { misplaced: [], indexFiles: [], packs: [], snapshots: [], marks: [], pins: noPins, needsBytes: 0 };

/** Which of the four files can be read whole from the snapshots that there are; a file that is there is as it was. */
async function wholeFiles(repository: Repository): Promise<string[]> {
  const whole: string[] = [];
  const sums = new Map(
    ['first', 'second'].flatMap((seed) =>
      ['one', 'two'].map((name) => [sha256(randomBytes(`${seed} ${name}`, 600_000)), `${seed} ${name}`] as const),
    ),
  );
  for await (const snapshot of repository.snapshots()) {
    const backup = await readBackup(repository, snapshot.id);
    for (const [path, { content }] of await walk(backup, snapshot.tree)) {
      if (content === undefined) continue;
      const name = sums.get(sha256(await readContent(backup, content)));
      assert(name !== undefined, `${path} has wrong bytes`);
      whole.push(name);
    }
    await backup[Symbol.asyncDispose]();
  }
  return whole.sort();
}

const allFiles = ['first one', 'first two', 'second one', 'second two'];

/** What is left by each damage; all where it is not named. */
const left: Record<string, string[]> = {
  'a flipped bit in data': allFiles.filter((name) => name !== 'first one'),
  'a flipped bit in a tree': allFiles.filter((name) => name !== 'first two'),
  'a flipped bit in a tree, and no data read': allFiles.filter((name) => name !== 'first two'),
  'a pack that is gone': ['second one', 'second two'],
  'a pack that is cut short': allFiles.filter((name) => name !== 'first two'),
  'an index file and its pack that are gone': ['second one', 'second two'],
  'a pack in a wrong folder, cut short': allFiles.filter((name) => name !== 'first two'),
  'an index file that is gone, and a flipped bit in data': allFiles.filter((name) => name !== 'first one'),
  'a snapshot that is damaged': ['second one', 'second two'],
};

test('after a repair all is good, for stock restic too, what is whole is there, and nothing is left to repair', async (t) => {
  for (const [name, damage] of Object.entries(damages)) {
    await t.test(name, async (t) => {
      const place = await newPlace(t);
      const files = await twoBackups(place);
      await damage.does(place, files);
      const planned = await plan(place.repository);
      const before = await filesIn(place.folder, 'data');
      await repair(place.repository, JSON.parse(JSON.stringify(planned)));
      const report = await check(place.repository, { read: { share: 1 } });
      const expected = name.startsWith('a damaged key') ? 1 : 0;
      assert.equal(told(report).length, expected, told(report).join('\n'));
      const { fingerprint: _, left: _left, freeBytes: _free, ...second } = await plan(place.repository);
      assert.deepEqual(second, nothing);
      assert.deepEqual(await wholeFiles(await reopen(place.store)), left[name] ?? allFiles);
      if (expected === 0) assert.equal(await isFine(place), true);
      const aside = await readdir(join(place.folder, 'damaged'), { recursive: true }).catch(() => []);
      const gone = before.filter((path) => aside.every((one) => !path.endsWith(one.split('/').at(-1)!)));
      const now = new Set((await filesIn(place.folder, 'data')).map((path) => basename(path)));
      for (const path of gone) assert(now.has(basename(path)), `${path} is neither there nor aside`);
    });
  }
});

test('a plan for another state of the repository is refused, and nothing done', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['a flipped bit in data']!.does(place, files);
  const planned = await plan(place.repository);
  await twoFiles(place, 'third');
  const before = await readdir(place.folder, { recursive: true });
  await assert.rejects(repair(place.repository, planned), coded('CHANGE_STALE'));
  assert.deepEqual((await readdir(place.folder, { recursive: true })).sort(), before.sort());
});

test('a snapshot that somebody rewrote and kept is repaired; only one that a repair has replaced is moved aside', async (t) => {
  const place = await newPlace(t);
  const id = await twoFiles(place, 'first');
  const { objects } = await partsOf(place.store);
  const document = (await objects.get('snapshots', id)) as object;
  await objects.put('snapshots', { ...document, original: id, tags: ['rewritten'] });
  for (const pack of await filesIn(place.folder, 'data')) if ((await stat(pack)).size > 600_000) await flip(pack, 1000);
  const actions = async (repository: Repository) =>
    new Map((await plan(repository)).snapshots.map(({ id, action }) => [id, action]));
  assert.deepEqual([...(await actions(place.repository)).values()], ['rewrite', 'rewrite']);

  const planned = await plan(place.repository);
  const cutOff = { manifestOf: async () => undefined, onChange: () => Promise.reject(new Error('cut off')) };
  await using lock = await place.repository.lock('exclusive', noSignal);
  await assert.rejects(place.repository.repair(lock, planned, cutOff, work), /cut off/);
  await lock[Symbol.asyncDispose]();
  const again = await actions(await reopen(place.store));
  assert.deepEqual([...again.values()].sort(), ['rewrite', 'set-aside'], 'the new one of the first is there');
});

test('a repair that is cut off between putting pins back and moving the damaged ones aside is ended by another', async (t) => {
  const { repository, folder } = await newPlace(t);
  const backup = await twoFiles({ repository }, 'first');
  const pin = { format: 1, backup, pinnedAt: '2026-01-01T00:00:00.000Z', by: 'here' } as const;
  await repository.pins.add(pin);
  const [file] = await filesIn(folder, 'pins');
  await flip(file!);
  const damaged = [basename(file!)];
  assert.deepEqual((await plan(repository)).pins, noPins, 'nobody knows what it keeps');
  const known = { ...pin, object: damaged[0]! };
  assert.deepEqual((await plan(repository, { knownPins: [pin] })).pins, noPins, 'it may be another one');
  const { pins } = await plan(repository, { knownPins: [known] });
  assert.deepEqual(pins, { putBack: [{ ...pin, replaces: damaged }], setAside: damaged });
  await repository.pins.add(pins.putBack[0]!); // and then the power goes
  const second = await plan(repository);
  assert.deepEqual(second.pins, { putBack: [], setAside: damaged });
  await repair(repository, second);
  assert.deepEqual([...(await repository.pins.list()).keys()], [backup]);

  const object = await repository.pins.add({ ...pin, backup: 'second', format: 2 as 1 });
  const newer = await plan(repository, { knownPins: [{ ...pin, backup: 'second', object }] });
  assert.deepEqual(newer.pins, noPins, 'what a newer version wrote is not damaged');
  assert.equal(told(await check(repository)).length, 1, 'and nobody knows what it keeps either');
});

test('a repair that ends for want of space says what it has come to, and another one does the rest', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['a flipped bit in data']!.does(place, files);
  const full = new TidemarkError('DESTINATION_FULL', 'no space left at /x', { hint: 'Free or add space there.' });
  const steps: ['put' | 'move', RegExp, RegExp][] = [
    [
      'put',
      /^data\//,
      /no space left at \/x; the repair ended half-way, before the index was whole: all that could be read/,
    ],
    ['move', /^damaged\/snapshots/, /half-way, the index is whole, and 1 of 1 snapshots are dealt with/],
  ];
  for (const [method, match, text] of steps) {
    const store = faultyStore(t, place.store, { method, match, kind: 'error', error: full });
    const repository = await reopen(store);
    await assert.rejects(repair(repository, await plan(repository)), coded('DESTINATION_FULL', text));
  }
  const repository = await reopen(place.store);
  await repair(repository, await plan(repository));
  assert.equal((await check(repository, { read: { share: 1 } })).verdict, 'good');
  assert.deepEqual(await wholeFiles(repository), left['a flipped bit in data']);
});
