import assert from 'node:assert/strict';
import { copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { TidemarkError } from '../../../../core/error.ts';
import type { CheckOptions, CheckReport } from '../../../../core/repository/index.ts';
import { FaultyStore } from '../../../kit/faulty-store.ts';
import { coded, localStore, newPlace, noSignal, type Place, reopen } from '../repository-kit.ts';
import { check, filesIn, flip, told, twoFiles, work } from './check-kit.ts';

const all = { read: { share: 1 } } as const;

/** Of a repository with two backups: one index file, one pack of data and one of trees each. */
interface Damage {
  readonly does: (place: Place, files: Files) => Promise<void>;
  readonly options?: Partial<CheckOptions>;
  readonly finds: readonly RegExp[];
  readonly hurtBackups: number;
  /** Whether stock restic is content when it reads all; asked where one might think otherwise. */
  readonly isFineForRestic?: boolean;
}

interface Files {
  readonly snapshots: readonly [string, string];
  readonly dataPack: string;
  readonly treePack: string;
  readonly index: string;
}

const damages: Record<string, Damage> = {
  nothing: { does: async () => {}, finds: [], hurtBackups: 0, isFineForRestic: true },
  'a flipped bit in data': {
    does: (_, { dataPack }) => flip(dataPack, 100),
    finds: [/^pack-damaged data\/..\/[0-9a-f]{64}: 1 of \d blobs in it cannot be read -> \/one\.bin$/],
    hurtBackups: 1,
  },
  'a flipped bit in a tree': {
    does: (_, { treePack }) => flip(treePack, 40),
    finds: [/^pack-damaged .*1 of \d blobs in it cannot be read -> \/folder\/$/],
    hurtBackups: 1,
  },
  'a flipped bit in a tree, and no data read': {
    does: (_, { treePack }) => flip(treePack, 40),
    options: { read: 'none' },
    finds: [/^pack-damaged .*a folder in it cannot be read -> \/folder\/$/],
    hurtBackups: 1,
  },
  'a flipped bit in the header of a pack': {
    does: async (_, { dataPack }) => flip(dataPack, (await readFile(dataPack)).length - 20),
    finds: [/^pack-damaged .*own list of blobs is damaged, its blobs are whole; no backup loses anything by it$/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'a pack that is gone': {
    does: (_, { dataPack }) => rm(dataPack),
    options: { read: 'none' },
    finds: [/^pack-missing .*the index names it, and it is gone -> \/folder\/two\.bin \/one\.bin$/],
    hurtBackups: 1,
  },
  'a pack that is cut short': {
    does: (_, { dataPack }) => truncate(dataPack, 700_000),
    options: { read: 'none' },
    finds: [
      /^pack-damaged .*1 of \d blobs in it cannot be read, and its size is 700000 bytes .* -> \/folder\/two\.bin$/,
    ],
    hurtBackups: 1,
  },
  'a pack with bytes behind its end': {
    does: async (_, { dataPack }) => writeFile(dataPack, Buffer.alloc(10), { flag: 'a' }),
    options: { read: 'none' },
    finds: [/^pack-damaged .*own list of blobs is damaged, its blobs are whole, and its size is/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'two packs in the place of each other': {
    does: async (_, { dataPack, treePack }) => {
      await rename(dataPack, `${dataPack}.x`);
      await rename(treePack, dataPack);
      await rename(`${dataPack}.x`, treePack);
    },
    options: { read: 'none' },
    finds: [/^pack-(damaged|disagrees)/, /^pack-(damaged|disagrees)/],
    hurtBackups: 1,
  },
  'an index file that is gone': {
    does: (_, { index }) => rm(index),
    finds: [/^index-incomplete index\/: backups need what lies in packs that no index names \(2 packs of/],
    hurtBackups: 0,
    isFineForRestic: false,
  },
  'an index file that is damaged': {
    does: (_, { index }) => flip(index),
    finds: [/^index-damaged index\/[0-9a-f]{64}: it cannot be read: .* is damaged$/, /^index-incomplete/],
    hurtBackups: 0,
  },
  'an index file and its pack that are gone': {
    does: async (_, { index, dataPack }) => {
      await rm(index);
      await rm(dataPack);
    },
    finds: [/^index-incomplete/, /^blob-missing index\/: backups need .* -> \/folder\/two\.bin \/one\.bin$/],
    hurtBackups: 1,
  },
  'a snapshot that is damaged': {
    does: ({ folder }, { snapshots }) => flip(join(folder, 'snapshots', snapshots[0])),
    finds: [/^snapshot-damaged snapshots\/[0-9a-f]{64}: the backup cannot be read/],
    hurtBackups: 0,
  },
  'a damaged key beside a good one': {
    does: async ({ folder }) => writeFile(join(folder, 'keys', '0'.repeat(64)), '{}'),
    finds: [/^key-damaged keys\/0{64}: it is damaged/],
    hurtBackups: 0,
  },
  'a pack that no index names': {
    does: async (_, { dataPack }) => copyFile(dataPack, dataPack.replace(/.{64}$/, '0'.repeat(64))),
    finds: [/^pack-unindexed data\/: no index names 1 packs/],
    hurtBackups: 0,
    isFineForRestic: true,
  },
};

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

async function twoBackups(place: Place): Promise<Files> {
  const first = await twoFiles(place, 'first');
  const before = await filesIn(place.folder, 'data');
  const [index] = await filesIn(place.folder, 'index');
  const sizes = await Promise.all(before.map(async (path) => (await readFile(path)).length));
  const [dataPack, treePack] = sizes[0]! > sizes[1]! ? before : before.toReversed();
  return {
    snapshots: [first, await twoFiles(place, 'second')],
    dataPack: dataPack!,
    treePack: treePack!,
    index: index!,
  };
}

/** Data only where all else is fine: restic asks for a pack that is gone again and again, for a quarter of an hour. */
async function isFine({ restic }: Place): Promise<boolean> {
  try {
    await restic(['check']);
    await restic(['check', '--read-data']);
    return true;
  } catch {
    return false;
  }
}

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
  faulty.plan({ method: 'get', match: /^data\//, kind: 'error', error: denied });
  const unread = await outcome();
  assert.deepEqual([unread.verdict, unread.counts.unread], ['incomplete', 1]);
  assert.match(told(unread)[0]!, /^pack-unread data.*nothing is known of it: permission denied/);
  faulty.plan({ method: 'get', match: /^snapshots\//, kind: 'error', error: denied });
  assert.match(told(await outcome())[0]!, /^snapshot-unread/);
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
