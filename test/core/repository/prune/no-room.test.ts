import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Repository } from '../../../../core/repository/index.ts';
import { faultyStore } from '../../../kit/faulty-store.ts';
import { restic } from '../../../kit/restic.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { fileNode, localStore, openOptions, password, randomBytes, reopen, writeBackup } from '../repository-kit.ts';
import { forget, names, plan, prune, storedBytes, thorough } from './prune-kit.ts';

const mebibyte = 2 ** 20;

/** On a disk that is almost full: a pack of which much is needed, and one of which nothing is. */
async function fullPlace(t: TestContext, leftBytes: number) {
  const disk = await smallDisk(t, 32 * mebibyte, 2000);
  const folder = join(disk, 'repository');
  const store = await localStore(folder);
  const repository = await Repository.init(openOptions(store));
  const file = (name: string) => async (sink: Parameters<Parameters<typeof writeBackup>[1]>[0]) =>
    fileNode(name, await sink.content(randomBytes(name, 3 * mebibyte)));
  const all = ['one', 'two', 'three'].map(file);
  const first = await writeBackup(repository, async (sink) => Promise.all(all.map((each) => each(sink))), {
    threads: 1,
  });
  await writeBackup(repository, async (sink) => [await file('two')(sink), await file('one')(sink)], { threads: 1 });
  const gone = await writeBackup(await reopen(store), async (sink) => [await file('four')(sink)], { threads: 1 });
  await forget(store, first.id, gone.id);
  const free = (await store.freeBytes!())!;
  await writeFile(join(disk, 'ballast'), Buffer.alloc(free - leftBytes));
  return { store, program: await restic(t, folder, password) };
}

test('before anything is copied it is looked whether there is room: what needs none is freed, the rest is told', async (t) => {
  for (const now of [false, true]) {
    const { store, program } = await fullPlace(t, now ? 1.5 * mebibyte : 4 * mebibyte);
    const { copyBytes, freeBytes, netBytes, markBytes, removeBytes, lacksRoom } = await plan(store);
    assert(lacksRoom!.neededBytes > copyBytes && lacksRoom!.freeBytes === freeBytes, 'the plan says so before');
    assert(copyBytes > 5 * mebibyte && freeBytes! < 5 * mebibyte, `${copyBytes} ${freeBytes}`);
    assert.equal(netBytes, markBytes + removeBytes - copyBytes);
    const before = await storedBytes(store);
    const result = await prune(store, { ...thorough, now });
    assert.equal(result.copiedBytes, 0);
    assert(result.lacksRoom!.neededBytes > copyBytes, JSON.stringify(result));
    const last = now ? result : await prune(store);
    assert(last.removedBytes > 3 * mebibyte, JSON.stringify(last));
    assert.equal(last.netBytes, before - (await storedBytes(store)));
    await program(['check', '--read-data', '--no-lock']);
  }
});

test('with `now` the room that is freed first is room for what is copied then', async (t) => {
  const { store, program } = await fullPlace(t, 6 * mebibyte);
  assert((await plan(store)).freeBytes! < 7 * mebibyte);
  const before = await storedBytes(store);
  const result = await prune(store, { ...thorough, now: true });
  assert(result.copiedBytes > 5 * mebibyte && result.lacksRoom === undefined, JSON.stringify(result));
  assert.equal(result.netBytes, before - (await storedBytes(store)));
  await program(['check', '--read-data', '--no-lock']);
});

test('what a prune copied that failed before its marks is found by the next ones, and freed', async (t) => {
  const { store, program } = await fullPlace(t, 9 * mebibyte);
  const before = await storedBytes(store);
  const failing = faultyStore(t, store, { method: 'put', match: /^marks/, kind: 'error', error: new Error('gone') });
  await assert.rejects(prune(failing));
  assert((await storedBytes(store)) > before + 5 * mebibyte, 'the copies are there');
  for (let round = 0; round < 3; round++) await prune(store);
  const { usedBytes } = await plan(store);
  assert((await storedBytes(store)) < usedBytes + 10_000, 'each is there once');
  assert.deepEqual(await names(store, 'marks/'), []);
  await program(['check', '--read-data', '--no-lock']);
});
