import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { BlobIndex, blobKey, sharedHas } from '../../../core/repository/blob-index.ts';
import type { PackEntry } from '../../../core/repository/format/pack.ts';
import { NewBlobs } from '../../../core/repository/new-blobs.ts';
import { runOk } from '../../kit/process.ts';
import { randomBytes } from './repository-kit.ts';

test('an index of over a million blobs takes at most 80 bytes a blob and finds each', () => {
  const index = new BlobIndex();
  const count = 1_100_000; // just over a power of two is where doubling would waste most
  const ids = randomBytes('index', count * 32);
  const idOf = (at: number) => ids.subarray(at * 32, at * 32 + 32);
  const blobsPerPack = 16;
  for (let first = 0; first < count; first += blobsPerPack) index.addPack(idOf(first), entries(first));
  function* entries(first: number): Generator<PackEntry> {
    for (let at = first; at < Math.min(count, first + blobsPerPack); at++) {
      yield {
        type: at % 5 === 0 ? 'tree' : 'data',
        id: idOf(at),
        offset: at,
        length: at + 1,
        plainBytes: at % 3 || undefined,
      };
    }
  }
  assert.equal(index.count, count);
  assert(index.sizeBytes <= 80 * count, `${index.sizeBytes / count} bytes a blob`);
  const shared = index.share();
  for (let at = 0; at < count; at += 23) {
    const type = at % 5 === 0 ? 'tree' : 'data';
    const { pack, offset, length, plainBytes } = index.find(type, idOf(at))!;
    assert.deepEqual([offset, length, plainBytes], [at, at + 1, at % 3 || undefined]);
    assert(idOf(at - (at % blobsPerPack)).equals(pack));
    assert.equal(index.has(type === 'tree' ? 'data' : 'tree', idOf(at)), false);
    assert.equal(sharedHas(shared, idOf(at)), type === 'data');
  }
  assert.equal(index.find('data', randomBytes('unknown', 32)), undefined);
});

test('a table that grows is never there twice', async () => {
  const child = join(import.meta.dirname, '../../../bench/index-memory-child.ts');
  const { stdout } = await runOk(process.execPath, [child, '2000000'], { timeoutMs: 120_000 });
  const { blobs, peakRss } = JSON.parse(stdout);
  assert(peakRss <= 80 * blobs, `${peakRss / blobs} bytes a blob at the peak`);
});

/** What a limit of address space leaves is enough, when the table then grows by being copied. */
test('an index grows where nothing can be reserved', async () => {
  const child = join(import.meta.dirname, '../../../bench/index-memory-child.ts');
  const limited = ['-c', 'ulimit -v 8000000; exec "$0" "$@"', process.execPath, child, '300000'];
  const { stdout } = await runOk('sh', limited, { timeoutMs: 120_000 });
  assert.equal(JSON.parse(stdout).blobs, 300_000);
});

test('a tree and a file of the same bytes are two blobs, and the first place of a blob counts, another is known', () => {
  const index = new BlobIndex();
  const [id, one, two] = ['id', 'pack one', 'pack two'].map((seed) => randomBytes(seed, 32)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const entry = { id, offset: 0, length: 50, plainBytes: undefined };
  index.addPack(one, [{ ...entry, type: 'tree' }]);
  index.addPack(two, [{ ...entry, type: 'data' }]);
  index.addPack(two, [{ ...entry, type: 'tree', offset: 99 }]);
  index.addPack(two, [{ ...entry, type: 'tree', offset: 99 }]);
  assert.equal(index.count, 3);
  assert.deepEqual(
    index.findAll('tree', id).map(({ pack, offset }) => [one.equals(pack), offset]),
    [
      [true, 0],
      [false, 99],
    ],
  );
  assert(one.equals(index.find('tree', id)!.pack));
  assert(two.equals(index.find('data', id)!.pack));
  const fresh = new NewBlobs();
  assert.deepEqual([fresh.insert(id), fresh.insert(blobKey('tree', id)), fresh.insert(id)], [true, true, false]);
});

test('of many threads that insert the same blobs, one gets to store each', { timeout: 120_000 }, async () => {
  const fresh = new NewBlobs();
  const threads = 3;
  const count = 100_000; // two tables
  const claims = new Int32Array(new SharedArrayBuffer(count * 4));
  const source = `
    const { workerData } = require('node:worker_threads');
    const crypto = require('node:crypto');
    import(workerData.module).then(({ NewBlobs }) => {
      const fresh = new NewBlobs(workerData.memory);
      for (let at = 0; at < workerData.count; at++) {
        if (fresh.insert(crypto.hash('sha256', 'blob ' + at, 'buffer'))) Atomics.add(workerData.claims, at, 1);
      }
    });`;
  const module = import.meta.resolve('../../../core/repository/new-blobs.ts');
  const workers = Array.from(
    { length: threads },
    () => new Worker(source, { eval: true, workerData: { module, memory: fresh.memory, claims, count } }),
  );
  const codes = await Promise.all(
    workers.map((worker) => new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))),
  );
  assert.deepEqual(codes, [0, 0, 0]);
  assert.equal(claims.indexOf(0), -1, 'a blob that nobody was told to store would be lost');
  // Stored twice is allowed, for blobs that several threads insert while a table is being closed.
  const twice = claims.filter((claimed) => claimed > 1).length;
  assert(twice <= 100, `${twice} blobs would be stored twice`);
  for (let at = 0; at < count; at += 11)
    assert.equal(fresh.insert(crypto.hash('sha256', `blob ${at}`, 'buffer')), false);
  assert.equal(fresh.insert(randomBytes('another', 32)), true);
});
