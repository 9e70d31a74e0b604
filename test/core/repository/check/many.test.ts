import assert from 'node:assert/strict';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Node } from '../../../../core/driver/index.ts';
import { PackTable } from '../../../../core/repository/check/pack-table.ts';
import { restic } from '../../../kit/restic.ts';
import { fileNode, folderNode, newPlace, noSignal, password, randomBytes, writeBackup } from '../repository-kit.ts';
import { check, filesIn, flip, told, twoFiles, work } from './check-kit.ts';

test('damage is told of a backup of more folders than a table first has room for', async (t) => {
  const place = await newPlace(t);
  await writeBackup(place.repository, async (sink) => {
    const nodes: Node[] = [];
    for (let number = 0; number < 1_100; number++) {
      const file = fileNode('own', await sink.content(Buffer.from(`file ${number}`)));
      nodes.push(folderNode(`f${String(number).padStart(4, '0')}`, await sink.tree([file])));
    }
    return [...nodes, fileNode('large', await sink.content(randomBytes('large', 900_000)))];
  });
  const [pack] = (await filesIn(place.folder, 'data')).toSorted();
  await flip(pack!);
  const report = await check(place.repository, { read: { share: 1 } });
  assert.deepEqual([report.verdict, report.hurtBackups], ['damaged', 1], told(report).join('\n'));
});

test('threads that are slower than the reading, with damage here and there: exactly that is found', async (t) => {
  const place = await newPlace(t);
  for (let number = 0; number < 12; number++) await twoFiles(place, `backup ${number}`);
  const packs = (await filesIn(place.folder, 'data')).toSorted();
  const damaged = packs.filter((_, at) => at % 5 === 2);
  for (const pack of damaged) await flip(pack);
  await truncate(packs[3]!, 200_000);
  const expected = [...damaged, packs[3]!].map((path) => path.slice(place.folder.length + 1)).toSorted();
  await using _ = await place.repository.lock('shared', noSignal);
  const options = { read: { share: 1 }, destination: 'test', known: [] };
  const report = await place.repository.check(options, { ...work, threads: 6 });
  const found = report.findings.filter(({ severity }) => severity === 'damage').map(({ object }) => object);
  assert.deepEqual(found.toSorted(), expected);
});

test('an index that is lost as a whole costs nothing: all packs are taken in', async (t) => {
  const place = await newPlace(t);
  await twoFiles(place, 'first');
  await twoFiles(place, 'second');
  await rm(join(place.folder, 'index'), { recursive: true });
  const report = await check(place.repository, { read: { share: 1 } });
  assert.equal(report.verdict, 'damaged');
  assert.ok(!told(report).some((line) => line.includes('is gone')), told(report).join('\n'));
  await using lock = await place.repository.lock('exclusive', noSignal);
  const plan = await place.repository.planRepair({ read: { share: 1 } }, work);
  const options = { manifestOf: async () => undefined, onChange: async () => {} };
  assert.deepEqual(await place.repository.repair(lock, plan, options, work), []);
  await lock[Symbol.asyncDispose]();
  await (await restic(t, place.folder, password))(['check', '--read-data']);
});

test('a table of packs keeps what it is told while it grows', () => {
  const packs = new PackTable();
  for (let number = 0; number < 5_000; number++) packs.addStored(randomBytes(`pack ${number}`, 32), number + 1);
  assert.deepEqual(
    [...packs.all()].map(({ storedBytes }) => storedBytes),
    Array.from({ length: 5_000 }, (_, number) => number + 1),
  );
});
