import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NotRestoredList } from '../../../drivers/files/restore/not-restored-list.ts';
import { tempFolder } from '../../kit/temp.ts';
import {
  coded,
  fileNode,
  newPlace,
  noProgress,
  noSignal,
  type Place,
  randomBytes,
  readBackup,
  readContent,
  reopen,
  sha256,
  writeBackup,
} from './repository-kit.ts';
import { moduleUrl, type Result, type Setup, type Task } from './work-thread.ts';

const bytes = randomBytes('salvage', 6 * 2 ** 20);

test('whoever reads a file gets its blobs from any pack that has them, and else an error with blob and pack', async (t) => {
  const place = await newPlace(t);
  // Two backups at once know nothing of each other: each stores everything.
  const both = await Promise.all([1, 2].map(() => storeFile(place)));
  const packs = await dataPacks(place);
  const large = packs.filter(({ sizeBytes }) => sizeBytes > 2 ** 20);
  assert.equal(large.length, 2);
  for (const [at, { path }] of large.entries()) {
    await flip(path, 1000);
    await flip(path, 3_000_000);
    for (const id of both) {
      await using reading = await readBackup(await reopen(place.store), id);
      const [node] = await reading.tree(reading.rootTree);
      await using threads = await reading.threads<Setup, Task, Result>(moduleUrl, {});
      const hash = () => threads.run({ kind: 'hash', content: node!.content! });
      const read = () => readContent(reading, node!.content!);
      if (at === 0) {
        assert.equal(await hash(), sha256(bytes));
        assert((await read()).equals(bytes));
      } else {
        const says = /^blob [0-9a-f]{64} in pack [0-9a-f]{64} is damaged$/;
        await assert.rejects(hash(), coded('REPOSITORY_CORRUPT', says));
        await assert.rejects(read(), coded('REPOSITORY_CORRUPT', says));
      }
    }
  }
});

test('a pack that is gone or cut is made up for by another, too', async (t) => {
  const place = await newPlace(t);
  const [id] = await Promise.all([1, 2].map(() => storeFile(place)));
  const large = (await dataPacks(place)).filter(({ sizeBytes }) => sizeBytes > 2 ** 20);
  await writeFile(large[0]!.path, (await readFile(large[0]!.path)).subarray(0, 2_000_000));
  const read = async () => {
    await using reading = await readBackup(await reopen(place.store), id!);
    const [node] = await reading.tree(reading.rootTree);
    return readContent(reading, node!.content!);
  };
  assert((await read()).equals(bytes));
  await rm(large[0]!.path);
  assert((await read()).equals(bytes));
  await rm(large[1]!.path);
  await assert.rejects(
    read(),
    coded('REPOSITORY_CORRUPT', /^blob [0-9a-f]{64} is lost: pack [0-9a-f]{64} is missing$/),
  );
});

test('what is damaged is made up for by a pack that no index names, too', async (t) => {
  const place = await newPlace(t);
  const [id] = await Promise.all([1, 2].map(() => storeFile(place)));
  const [index] = await readdir(join(place.folder, 'index'));
  await rm(join(place.folder, 'index', index!));
  for (const { path } of await dataPacks(place)) {
    await flip(path, 100);
    const repository = await reopen(place.store);
    const work = { threads: 1, progress: noProgress, signal: noSignal };
    await using reading = await repository.salvage(await repository.snapshot(id!), work);
    const [node] = await reading.tree(reading.rootTree);
    const content = node!.content!;
    assert((await readContent(reading, content)).equals(bytes));
    await using threads = await reading.threads<Setup, Task, Result>(moduleUrl, {});
    assert.equal(await threads.run({ kind: 'hash', content }), sha256(bytes));
    const log = new Int32Array(new SharedArrayBuffer(12));
    const task: Task = { kind: 'file', path: join(await tempFolder(t), 'out'), log, file: 0 };
    assert.deepEqual(await threads.scatter([{ task, content }]), []);
    await flip(path, 100);
  }
});

test('an index that is damaged stops what writes, and not what salvages', async (t) => {
  const place = await newPlace(t);
  const id = await storeFile(place);
  for (const name of await readdir(join(place.folder, 'index'))) await flip(join(place.folder, 'index', name), 60);
  const repository = await reopen(place.store);
  const work = { threads: 1, progress: noProgress, signal: noSignal };
  await using lock = await repository.lock('shared', noSignal);
  await assert.rejects(repository.write(lock, work), coded('REPOSITORY_CORRUPT', /^index\/[0-9a-f]{64} is damaged$/));
  await using reading = await repository.salvage(await repository.snapshot(id), work);
  const [node] = await reading.tree(reading.rootTree);
  assert((await readContent(reading, node!.content!)).equals(bytes));
  assert.equal(reading.warnings.length, 2);
});

test('of a million things that are not whole the first are named and the rest counted', () => {
  const list = new NotRestoredList();
  for (let at = 0; at < 1_000_000; at++) list.add(`file ${at}`, 'damaged', 'x');
  assert.deepEqual([list.listed.length, list.notListed, list.count], [10_000, 990_000, 1_000_000]);
  const long = new NotRestoredList();
  for (let at = 0; at < 5_000; at++) long.add('long'.repeat(1_000), 'damaged', 'x');
  assert(long.listed.length < 1_100 && long.count === 5_000);
});

async function storeFile({ store }: Place): Promise<string> {
  const fill = async (sink: Parameters<Parameters<typeof writeBackup>[1]>[0]) => [
    fileNode('file', await sink.content(bytes)),
  ];
  return (await writeBackup(await reopen(store), fill)).id;
}

async function dataPacks({ folder }: Place): Promise<{ path: string; sizeBytes: number }[]> {
  const entries = await readdir(join(folder, 'data'), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, sizeBytes: (await readFile(path)).length })));
}

async function flip(path: string, at: number): Promise<void> {
  const content = await readFile(path);
  content[at]! ^= 1;
  await writeFile(path, content);
}
