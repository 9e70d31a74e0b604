import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { BackupSink, Content, DataThreads, Node, Store } from '../../../core/driver/index.ts';
import { emptyContent } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { FaultyStore } from '../../kit/faulty-store.ts';
import { waitFor } from '../../kit/process.ts';
import { RecordingStore } from '../../kit/recording-store.ts';
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
  within,
  writeBackup,
} from './repository-kit.ts';
import { moduleUrl, type Result, type Setup, type Task } from './work-thread.ts';

const mib = 1024 * 1024;
const unreachable = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');

function start(sink: BackupSink, setup: Setup = {}): Promise<DataThreads<Task, Result>> {
  return sink.threads<Setup, Task, Result>(moduleUrl, setup);
}

test('where threads start as needed, there is one until calls wait, and then all take part', async (t) => {
  const { repository } = await newPlace(t);
  await writeBackup(repository, async (sink) => {
    await using threads = await sink.threads<Setup, Task, Result>(moduleUrl, {}, { nextAfterMs: 20 });
    assert.equal(threads.count, 2);
    for (let call = 0; call < 20; call++) assert.equal(await threads.run({ kind: 'thread' }), 0);
    const waiting = Array.from({ length: 40 }, () => threads.run({ kind: 'thread', afterMs: 100 }));
    assert.deepEqual([...new Set(await Promise.all(waiting))].sort(), [0, 1]);
    return [];
  });
  await writeBackup(repository, async (sink) => {
    await using threads = await sink.threads<Setup, Task, Result>(moduleUrl, {}, { nextAfterMs: 20 });
    assert.deepEqual(await threads.runOn(1, { kind: 'thread' }), 1);
    return [];
  });
});

test('a thread that is needed later and cannot open spoils the backup', async (t) => {
  const { repository } = await newPlace(t);
  const backup = writeBackup(repository, async (sink) => {
    await using threads = await sink.threads<Setup, Task, Result>(moduleUrl, { failOpenIn: 1 }, { nextAfterMs: 20 });
    const waiting = Array.from({ length: 40 }, () => threads.run({ kind: 'thread', afterMs: 100 }));
    await Promise.allSettled(waiting);
    return [];
  });
  await assert.rejects(backup, /open was told to fail/);
});

test('a blob that could not be stored spoils the backup, also when a driver goes on past it', async (t) => {
  const { repository } = await newPlace(t);
  const blob = Buffer.alloc(300_000, 'text ');
  const inThread = writeBackup(repository, async (sink) => {
    await using threads = await start(sink);
    await assert.rejects(threads.run({ kind: 'no-memory', blob }), /allocation failed/);
    const write = threads.run({ kind: 'write', chunking: { by: 'manual' }, pieces: [blob] });
    const content = (await write.catch(() => emptyContent)) as Content;
    return [fileNode('same', content)];
  });
  await assert.rejects(inThread, /allocation failed/);
  const inMain = writeBackup(repository, async (sink) => {
    const { ArrayBuffer: real } = globalThis;
    globalThis.ArrayBuffer = class {
      constructor() {
        throw new RangeError('Array buffer allocation failed');
      }
    } as unknown as ArrayBufferConstructor;
    const content = sink.content(blob);
    globalThis.ArrayBuffer = real;
    await assert.rejects(content, /allocation failed/);
    return [fileNode('same', await sink.content(blob))];
  });
  await assert.rejects(inMain, /allocation failed/);
});

test('threads store through every kind of writer and read it back', async (t) => {
  const { repository, store, restic } = await newPlace(t);
  const random = randomBytes('threads', 5 * mib);
  const { id } = await writeBackup(repository, async (sink) => {
    await using threads = await start(sink);
    const writes: Task[] = [
      { kind: 'write', chunking: { by: 'content' }, pieces: [random.subarray(0, 100), random.subarray(100)] },
      { kind: 'write', chunking: { by: 'fixed', sizeBytes: 300_000 }, pieces: [random] },
      {
        kind: 'write',
        chunking: { by: 'manual' },
        pieces: [random.subarray(0, mib), random.subarray(mib)],
        cutAfter: [0],
      },
      { kind: 'small-blobs', seed: 'small', count: 3000 },
    ];
    const contents = (await Promise.all(writes.map((task) => threads.run(task)))) as Content[];
    assert.deepEqual(await Promise.all([0, 1].map((thread) => threads.runOn(thread, { kind: 'thread' }))), [0, 1]);
    assert(
      !String(await threads.run({ kind: 'context' }))
        .split(' ')
        .includes('read'),
      'a backup does not read what is stored',
    );
    return contents.map((content, at) => fileNode(`file ${at}`, content));
  });
  await restic(['check', '--read-data']);
  await using backup = await readBackup(await reopen(store), id);
  const nodes = await backup.tree(backup.rootTree);
  await using threads = await backup.threads<Setup, Task, Result>(moduleUrl, {});
  for (const node of nodes) {
    const bytes = await readContent(backup, node.content!);
    assert.equal(bytes.length, node.content!.sizeBytes);
    assert.equal(await threads.run({ kind: 'hash', content: node.content! }), sha256(bytes));
    if (node.name !== 'file 3') assert(bytes.equals(random), node.name);
  }
  assert.equal(
    await threads.run({ kind: 'hash', content: { blobs: new Uint8Array(0), sizeBytes: 0 } }),
    sha256(Buffer.alloc(0)),
  );
  assert.equal(await threads.run({ kind: 'context' }), 'progress read thread threads', 'a restore cannot store');
});

test('buffers of a task change hands when they are transferred, and are copied otherwise', async (t) => {
  const { repository } = await newPlace(t);
  await writeBackup(repository, async (sink) => {
    await using threads = await start(sink);
    for (const run of [threads.run.bind(threads), threads.runOn.bind(threads, 1)]) {
      const [copied, moved] = [new Uint8Array(1000), new Uint8Array(2000)];
      assert.equal(await run({ kind: 'length', bytes: copied }), 1000);
      assert.equal(await run({ kind: 'length', bytes: moved }, [moved.buffer]), 2000);
      assert.deepEqual([copied.length, moved.length], [1000, 0]);
    }
    return [];
  });
});

test('scatter writes every file whole and tells its end once', async (t) => {
  const { repository, store } = await newPlace(t);
  const random = randomBytes('scatter', 12 * mib);
  const block = random.subarray(0, 100_000);
  const bodies: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    small: Buffer.from('small'),
    same: Buffer.from('small'),
    large: random,
    repeated: Buffer.concat(Array.from({ length: 40 }, () => block)), // one blob, forty times
    zeros: Buffer.alloc(20 * mib),
  };
  const { id } = await writeBackup(repository, async (sink) => {
    await using threads = await start(sink);
    const stored = Object.entries(bodies).map(async ([name, body]) => {
      const chunking = name === 'zeros' ? ({ by: 'content' } as const) : { by: 'fixed' as const, sizeBytes: 100_000 };
      return fileNode(name, (await threads.run({ kind: 'write', chunking, pieces: [body] })) as Content);
    });
    return await Promise.all(stored);
  });
  const recording = new RecordingStore(store);
  await using backup = await readBackup(await reopen(recording), id);
  const nodes = await backup.tree(backup.rootTree);
  const folder = await tempFolder(t);
  await using threads = await backup.threads<Setup, Task, Result>(moduleUrl, {});
  const log = new Int32Array(new SharedArrayBuffer(nodes.length * 12));
  const files = nodes.map((node, file) => ({
    task: { kind: 'file', path: join(folder, node.name), log, file } satisfies Task,
    content: node.content!,
  }));
  recording.calls.length = 0;
  await within(60_000, 'scatter', threads.scatter(files));
  for (const [name, body] of Object.entries(bodies)) assert((await readFile(join(folder, name))).equals(body), name);
  assert.deepEqual(
    [...log],
    nodes.flatMap(() => [1, 0, 0]),
    'one end, nothing after it, nothing damaged',
  );
  assert(recording.count('get') <= 5, `${recording.count('get')} requests for one pack of 12 MiB`);
  await threads.scatter([]);
});

test('many packs come to slow threads whole, but for one that is cut on its way', async (t) => {
  const { repository, store } = await newPlace(t);
  const names = Array.from({ length: 24 }, (_, number) => `file ${number}`);
  const ids: Node[] = [];
  for (const name of names) {
    await writeBackup(repository, async (sink) => {
      const node = fileNode(name, await sink.content(randomBytes(name, 700_000)));
      ids.push(node);
      return [node];
    });
  }
  const { id } = await writeBackup(repository, async () => ids);
  const faulty = new FaultyStore(store);
  await using backup = await readBackup(await reopen(faulty), id);
  await using threads = await backup.threads<Setup, Task, Result>(moduleUrl, {});
  const folder = await tempFolder(t);
  const log = new Int32Array(new SharedArrayBuffer(names.length * 12));
  const files = ids.map((node, file) => ({
    task: { kind: 'file', path: join(folder, node.name), log, file } satisfies Task,
    content: node.content!,
  }));
  faulty.plan({ method: 'get', match: /^data/, kind: 'cut', after: 500 });
  const damaged = await within(60_000, 'scatter', threads.scatter(files));
  faulty.assertAllHit();
  assert.equal(damaged.length, 1);
  for (const [at, name] of names.entries()) {
    const isWhole = damaged[0]!.file !== at;
    assert.deepEqual([...log.subarray(at * 3, at * 3 + 3)], isWhole ? [1, 0, 0] : [1, 0, 1], name);
    if (isWhole) assert((await readFile(join(folder, name))).equals(randomBytes(name, 700_000)), name);
  }
});

test('a scatter that meets damage ends, names the file, and reading goes on', async (t) => {
  const { repository, store } = await newPlace(t);
  const { id } = await writeBackup(repository, async (sink) => {
    await using threads = await start(sink);
    return [
      fileNode('large', (await threads.run({ kind: 'random', seed: 'scatter', sizeBytes: 24 * mib })) as Content),
    ];
  });
  const faulty = new FaultyStore(store);
  await using backup = await readBackup(await reopen(faulty), id);
  const [{ content } = fileNode('')] = await backup.tree(backup.rootTree);
  await using threads = await backup.threads<Setup, Task, Result>(moduleUrl, {});
  const log = new Int32Array(new SharedArrayBuffer(12));
  const task: Task = { kind: 'file', path: join(await tempFolder(t), 'large'), log, file: 0 };
  faulty.plan({ method: 'get', match: /^data/, kind: 'flip', at: 5000 });
  const [damaged, another] = await threads.scatter([{ task, content: content! }]);
  faulty.assertAllHit();
  assert.equal(another, undefined);
  assert.equal(damaged?.file, 0);
  assert.match(damaged.detail, /^blob [0-9a-f]{64} in pack [0-9a-f]{64} is damaged$/);
  assert.deepEqual([...log], [1, 0, 1], 'the damaged file must not be said to be complete');
  assert.equal(await threads.run({ kind: 'hash', content: content! }), sha256(await readContent(backup, content!)));
});

for (const [what, setup, task, message] of [
  ['opening fails in one thread', { failOpenIn: 1 }, undefined, /open was told to fail/],
  ['a task fails', {}, { kind: 'throw' }, /the task was told to fail/],
  ['a thread exits', {}, { kind: 'exit' }, /a data thread ended by itself/],
  ['closing fails', { failClose: true }, undefined, /close was told to fail/],
] as [string, Setup, Task | undefined, RegExp][]) {
  test(`when ${what}, the backup fails, nothing is visible and no thread is left`, async (t) => {
    const place = await newPlace(t);
    const failing = writeBackup(place.repository, async (sink) => {
      await using threads = await start(sink, setup);
      const first = (await threads.run({ kind: 'small-blobs', seed: what, count: 10 })) as Content;
      if (task !== undefined) await threads.run(task);
      return [fileNode('file', first)];
    });
    await assert.rejects(within(20_000, 'failing', failing), coded('BUG', message));
    await assertNothingLeft(place);
  });
}

test('a thread that dies while nobody waits for it spoils the backup', async (t) => {
  const place = await newPlace(t);
  const failing = writeBackup(place.repository, async (sink) => {
    await using threads = await start(sink);
    const content = (await threads.runOn(0, { kind: 'small-blobs', seed: 'lost', count: 10 })) as Content;
    // Its blobs are still in a half-full pack in the thread.
    await assert.rejects(threads.runOn(0, { kind: 'exit' }), coded('BUG'));
    return [fileNode('file', content)];
  });
  await assert.rejects(within(20_000, 'failing', failing), coded('BUG', /a data thread ended by itself/));
  await assertNothingLeft(place);
});

test('an abort ends busy and waiting threads at once', async (t) => {
  const place = await newPlace(t);
  const abort = new AbortController();
  const stalled = new FaultyStore(place.store, { method: 'put', match: /^data/, kind: 'stall' });
  const aborting = writeBackup(
    await reopen(stalled),
    async (sink) => {
      await using threads = await start(sink);
      const busy = threads.runOn(0, { kind: 'spin' });
      const waiting = threads.runOn(1, { kind: 'random', seed: 'abort', sizeBytes: 400 * mib });
      await Promise.all([busy, waiting]);
      return [];
    },
    { signal: abort.signal },
  );
  aborting.catch(() => {});
  await waitFor('a pack to be on its way', () => {
    stalled.assertAllHit();
    return true;
  });
  const startedMs = performance.now();
  abort.abort(new TidemarkError('CANCELLED', 'stopped by the test'));
  await assert.rejects(within(20_000, 'aborting', aborting), coded('CANCELLED', /stopped by the test/));
  const tookMs = performance.now() - startedMs;
  assert(tookMs < 3000, `it took ${tookMs} ms`); // promptly, also on a machine with much else to do
  await assertNothingLeft(place);
});

test('a slow store holds fast threads back', async (t) => {
  const { store } = await newPlace(t);
  const slow = new SlowPacks(store);
  const threads = 2;
  const { addedBytes } = await writeBackup(
    await reopen(slow),
    async (sink) => {
      const pool = await start(sink);
      const contents = await Promise.all(
        [0, 1, 2, 3].map((at) => pool.run({ kind: 'random', seed: `slow ${at}`, sizeBytes: 32 * mib })),
      );
      return contents.map((content, at) => fileNode(`${at}`, content as Content));
    },
    { threads },
  );
  assert(addedBytes > 128 * mib);
  assert(slow.most >= 2 && slow.most <= threads + 1, `${slow.most} packs at once`);
});

test('packs that cannot be stored fail the backup, whenever it happens', async (t) => {
  for (const at of [0, 2]) {
    const place = await newPlace(t);
    const faulty = new FaultyStore(place.store);
    const failing = writeBackup(await reopen(faulty), async (sink) => {
      await using threads = await start(sink);
      for (let part = 0; part < 2; part++) {
        if (part === at) faulty.plan({ method: 'put', match: /^data/, kind: 'error', error: unreachable });
        await threads.run({ kind: 'random', seed: `${part}`, sizeBytes: 20 * mib });
      }
      // What is still in the threads is stored when they close.
      if (at === 2) faulty.plan({ method: 'put', match: /^data/, kind: 'error', error: unreachable });
      return [];
    });
    await assert.rejects(within(20_000, 'failing', failing), coded('DESTINATION_UNREACHABLE'));
    faulty.assertAllHit();
    await assertNothingLeft(place);
  }
});

test('threads cannot be used after they are closed, and close twice', async (t) => {
  const { repository } = await newPlace(t);
  await writeBackup(repository, async (sink) => {
    const threads = await start(sink);
    await threads[Symbol.asyncDispose]();
    await threads[Symbol.asyncDispose]();
    await assert.rejects(threads.run({ kind: 'thread' }), coded('BUG', /closed/));
    const early = await start(sink);
    const tasks = Promise.allSettled(Array.from({ length: 5 }, () => early.run({ kind: 'thread' })));
    await early[Symbol.asyncDispose]();
    for (const one of await within(10_000, 'tasks', tasks))
      if (one.status === 'rejected') coded('BUG', /closed/)(one.reason);
    return [];
  });
  const abort = new AbortController();
  await using lock = await repository.lock('shared', noSignal);
  await using writing = await repository.write(lock, { threads: 1, progress: noProgress, signal: abort.signal });
  abort.abort();
  await assert.rejects(start(writing), { name: 'AbortError' });
  assert.equal(noSignal.aborted, false);
});

/** Takes its time for packs, and then looks whether they still are what they were; counts how many are there at once. */
class SlowPacks extends RecordingStore {
  most = 0;
  #now = 0;

  override async put(name: string, bytes: Uint8Array, options?: Parameters<Store['put']>[2]): Promise<void> {
    if (!name.startsWith('data/')) return super.put(name, bytes, options);
    this.most = Math.max(this.most, ++this.#now);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await super.put(name, bytes, options);
    assert.equal(sha256(bytes), basename(name), 'nobody writes into a pack before it is stored');
    this.#now -= 1;
  }
}

/** No snapshot, no lock, a sound repository, and no thread that keeps the process alive. */
async function assertNothingLeft({ store, restic, folder }: Place): Promise<void> {
  const repository = await reopen(store);
  assert.deepEqual(await Array.fromAsync(repository.snapshots()), [], folder);
  assert.deepEqual(await Array.fromAsync(store.list('locks/')), []);
  await waitFor('all threads to end', () => !process.getActiveResourcesInfo().includes('MessagePort'), {
    timeoutMs: 5000,
  });
  await restic(['check']);
}
