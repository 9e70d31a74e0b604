import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectInfo, Store } from '../../core/driver/index.ts';
import { type ErrorCode, hasCode } from '../../core/error.ts';

/** A store that begins to read an object and fails on its way, whatever is asked for the whole of it. */
export interface FailingRead {
  readonly store: Store;
  readonly name: string;
}

/**
 * What every store promises. `makeStore` gives a new, empty store each time; it is disposed here. Runs on every
 * implementation and on every stack of decorators. `failingRead`: where somebody can make a read fail midway.
 */
export function storeContract(
  name: string,
  makeStore: (t: TestContext) => Promise<Store>,
  failingRead?: (t: TestContext) => Promise<FailingRead>,
): void {
  const storeTest = (title: string, body: (store: Store) => Promise<void>) =>
    test(title, { timeout: 60_000 }, async (t) => {
      await using store = await makeStore(t);
      await body(store);
    });
  describe(`store contract: ${name}`, () => {
    objectCases(storeTest);
    rangeCases(storeTest);
    roomCases(storeTest);
    if (failingRead !== undefined)
      test('a read that fails midway leaves the room alone from then on', { timeout: 60_000 }, async (t) => {
        const { store, name } = await failingRead(t);
        await using _ = store;
        for (let round = 0; round < 2; round++) assert(await isRoomLeftAlone(store, name), 'it failed');
      });
    listCases(storeTest);
    deleteCases(storeTest);
    moveCases(storeTest);
    concurrencyCases(storeTest);
    abortCases(storeTest);
    storeTest('probe finds nothing wrong and leaves nothing behind', async (store) => {
      assert.deepEqual(await store.probe(), []);
      assert.deepEqual(await namesIn(store, ''), []);
    });
    test('closing twice is harmless', async (t) => {
      const store = await makeStore(t);
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    });
  });
}

type StoreTest = (title: string, body: (store: Store) => Promise<void>) => void;

function objectCases(storeTest: StoreTest): void {
  storeTest('put then get gives the same bytes', async (store) => {
    for (const size of [0, 1, 4096, 17 * 1024 * 1024 + 3]) {
      await store.put(`data/ab/size-${size}`, pattern(size));
      assert(pattern(size).equals(await store.get(`data/ab/size-${size}`)), `size ${size}`);
      assert.deepEqual(await store.head(`data/ab/size-${size}`), { name: `data/ab/size-${size}`, sizeBytes: size });
    }
  });
  storeTest('put replaces', async (store) => {
    await store.put('config', pattern(100));
    await store.put('config', pattern(7));
    assert(pattern(7).equals(await store.get('config')));
  });
  storeTest('put with ifAbsent throws OBJECT_EXISTS and keeps the first', async (store) => {
    await store.put('locks/one', pattern(5), { ifAbsent: true });
    await assert.rejects(store.put('locks/one', pattern(9), { ifAbsent: true }), code('OBJECT_EXISTS'));
    assert(pattern(5).equals(await store.get('locks/one')));
    assert.deepEqual(await namesIn(store, ''), ['locks/one']);
  });
  storeTest('what is not there is OBJECT_NOT_FOUND', async (store) => {
    await store.put('data/ab/here', pattern(1));
    for (const name of ['nothing', 'data/ab/nothing', 'data/xy/nothing', 'data/ab', 'data/ab/here/below']) {
      await assert.rejects(store.get(name), code('OBJECT_NOT_FOUND'), `get ${name}`);
      await assert.rejects(store.get(name, { offset: 0, length: 1 }), code('OBJECT_NOT_FOUND'), `range of ${name}`);
      await assert.rejects(store.head(name), code('OBJECT_NOT_FOUND'), `head ${name}`);
    }
  });
  storeTest('names cannot leave the store', async (store) => {
    for (const name of ['../out', 'data/../../out', '/etc/out', 'data//out', 'data/./out', '', 'data/nul\0']) {
      await assert.rejects(store.put(name, pattern(1)), `put ${JSON.stringify(name)}`);
      await assert.rejects(store.get(name), `get ${JSON.stringify(name)}`);
      await assert.rejects(store.delete([name]), `delete ${JSON.stringify(name)}`);
    }
    assert.deepEqual(await namesIn(store, ''), []);
  });
}

function rangeCases(storeTest: StoreTest): void {
  storeTest('ranges: inside, at the end, past the end', async (store) => {
    await store.put('data/ab/range', pattern(1000));
    const cases = [
      [0, 1000],
      [0, 1],
      [999, 1],
      [990, 100],
      [0, 5000],
      [1000, 10],
      [5000, 10],
      [10, 0],
    ] as const;
    for (const [offset, length] of cases) {
      const expected = pattern(1000).subarray(offset, offset + length);
      assert(expected.equals(await store.get('data/ab/range', { offset, length })), `${length} bytes from ${offset}`);
    }
  });
  storeTest('a result has a buffer of its own', async (store) => {
    await store.put('data/ab/own', pattern(1000));
    for (const range of [undefined, { offset: 10, length: 20 }]) {
      const bytes = await store.get('data/ab/own', range);
      assert.equal(bytes.buffer.byteLength, bytes.length);
      structuredClone(bytes, { transfer: [bytes.buffer] });
    }
  });
}

function roomCases(storeTest: StoreTest): void {
  storeTest(
    'with room, the result ends where the bytes do, and is that memory or a buffer of its own',
    async (store) => {
      for (const size of [0, 1, 1000, 2 * 1024 * 1024 + 3]) {
        await store.put('data/ab/room', pattern(size));
        for (const range of [
          undefined,
          { offset: 0, length: 1 },
          { offset: 990, length: 100 },
          { offset: 9e9, length: 9 },
        ]) {
          const memory = new Uint8Array(new SharedArrayBuffer(size)).fill(0xee);
          let asked = 0;
          const bytes = await store.get<ArrayBufferLike>('data/ab/room', range, undefined, (length) => {
            asked += 1;
            return memory.subarray(memory.length - length);
          });
          const expected = range ? pattern(size).subarray(range.offset, range.offset + range.length) : pattern(size);
          assert(expected.equals(bytes), `${range?.length ?? 'all'} bytes of ${size}`);
          assert(asked <= 1 && (bytes.buffer === memory.buffer) === (asked === 1), 'memory that was asked for is used');
          if (asked === 0) assert.equal(bytes.buffer.byteLength, bytes.length);
        }
      }
    },
  );
  storeTest('once a read has ended, well or not, nothing writes into its room', async (store) => {
    await store.put('data/ab/room', pattern(2 * 1024 * 1024 + 3));
    assert.equal(await isRoomLeftAlone(store, 'data/ab/room'), false);
    assert.equal(await isRoomLeftAlone(store, 'data/ab/nothing'), true);
    const replacing = store.put('data/ab/room', pattern(9));
    await isRoomLeftAlone(store, 'data/ab/room');
    await replacing;
  });
}

/** A caller reads into the same memory again at once. Gives whether the read was rejected. */
async function isRoomLeftAlone(store: Store, name: string): Promise<boolean> {
  const { sizeBytes } = await store.head(name).catch(() => ({ sizeBytes: 0 }));
  const memory = new Uint8Array(new SharedArrayBuffer(sizeBytes));
  const reading = store.get<ArrayBufferLike>(name, undefined, undefined, (bytes) => memory.subarray(0, bytes));
  const isRejected = await reading.then(
    () => false,
    () => true,
  );
  memory.fill(0xee);
  const untouched = Buffer.alloc(sizeBytes, 0xee);
  for (let turn = 0; turn < 10; turn++) {
    await sleep(5);
    assert(untouched.equals(memory), 'the store writes there still');
  }
  return isRejected;
}

function listCases(storeTest: StoreTest): void {
  storeTest('a list gives every object below its prefix, with sizes', async (store) => {
    const objects = { 'data/00/aa': 1, 'data/00/bb': 2, 'data/01/cc': 3, 'index/dd': 4, config: 5 };
    for (const [name, size] of Object.entries(objects)) await store.put(name, pattern(size));
    assert.deepEqual(await sizesIn(store, ''), objects);
    assert.deepEqual(await sizesIn(store, 'data/'), { 'data/00/aa': 1, 'data/00/bb': 2, 'data/01/cc': 3 });
    assert.deepEqual(await sizesIn(store, 'data/00/'), { 'data/00/aa': 1, 'data/00/bb': 2 });
    assert.deepEqual(await sizesIn(store, 'nothing/'), {});
  });
  storeTest('a list of more than 1000 objects, whole and left midway', async (store) => {
    const names = Array.from({ length: 1010 }, (_, number) => `index/${String(number).padStart(4, '0')}`);
    await inGroups(names, 50, (name) => store.put(name, pattern(1)));
    assert.deepEqual(await namesIn(store, 'index/'), names);
    let seen = 0;
    for await (const _ of store.list('index/')) if (++seen === 1001) break;
    assert.equal(seen, 1001);
  });
  storeTest('objects may be deleted while they are listed', async (store) => {
    const names = Array.from({ length: 100 }, (_, number) => `index/${number}`);
    await inGroups(names, 50, (name) => store.put(name, pattern(1)));
    for await (const { name } of store.list('index/')) await store.delete([name]);
    assert.deepEqual(await namesIn(store, 'index/'), []);
  });
}

function deleteCases(storeTest: StoreTest): void {
  storeTest('delete removes what is named and nothing else; twice is harmless', async (store) => {
    for (const name of ['data/00/aa', 'data/00/bb', 'data/00/cc']) await store.put(name, pattern(1));
    await store.delete(['data/00/aa', 'data/00/cc', 'data/zz/never']);
    await store.delete(['data/00/aa']);
    await store.delete([]);
    assert.deepEqual(await namesIn(store, ''), ['data/00/bb']);
    await assert.rejects(store.get('data/00/aa'), code('OBJECT_NOT_FOUND'));
  });
}

function moveCases(storeTest: StoreTest): void {
  storeTest('a move gives an object another name, in a folder that is there or not', async (store) => {
    for (const [size, to] of ['data/00/bb', 'damaged/data/00/aa', 'one'].entries()) {
      await store.put('data/00/aa', pattern(size));
      await store.move('data/00/aa', to);
      await assert.rejects(store.head('data/00/aa'), code('OBJECT_NOT_FOUND'));
      assert(pattern(size).equals(await store.get(to)), to);
    }
    assert.deepEqual(await namesIn(store, ''), ['damaged/data/00/aa', 'data/00/bb', 'one']);
  });
  storeTest(
    'a move loses nothing: not what has the new name, and nothing is made of what is not there',
    async (store) => {
      await store.put('data/00/aa', pattern(5));
      await store.put('data/00/bb', pattern(9));
      await assert.rejects(store.move('data/00/aa', 'data/00/bb'), code('OBJECT_EXISTS'));
      for (const name of ['data/00/cc', 'data/zz/cc', 'data/00']) {
        await assert.rejects(store.move(name, 'damaged/cc'), code('OBJECT_NOT_FOUND'), name);
      }
      for (const name of ['../out', '', 'data//out']) {
        await assert.rejects(store.move('data/00/aa', name));
        await assert.rejects(store.move(name, 'data/00/cc'));
      }
      await assert.rejects(store.move('data/00/aa', 'data/00/cc', AbortSignal.abort(new Error('enough'))), /enough/);
      assert(pattern(5).equals(await store.get('data/00/aa')));
      assert(pattern(9).equals(await store.get('data/00/bb')));
      assert.deepEqual(await namesIn(store, ''), ['data/00/aa', 'data/00/bb']);
    },
  );
}

function concurrencyCases(storeTest: StoreTest): void {
  storeTest('of many puts with ifAbsent exactly one wins', async (store) => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, size) => store.put('locks/race', pattern(size + 1), { ifAbsent: true })),
    );
    const winners = results.flatMap((result, at) => (result.status === 'fulfilled' ? [at + 1] : []));
    assert.equal(winners.length, 1);
    assert(pattern(winners[0]!).equals(await store.get('locks/race')));
    const losers = results.filter((result) => result.status === 'rejected');
    assert(losers.every((result) => hasCode(result.reason, 'OBJECT_EXISTS')));
  });
  storeTest('a reader sees the old object or the new one, never a half', async (store) => {
    const [small, large] = [pattern(3), pattern(4 * 1024 * 1024)];
    await store.put('data/ab/swap', small);
    const writing = inGroups(Array.from({ length: 20 }), 2, (_, at) =>
      store.put('data/ab/swap', at % 2 === 0 ? large : small),
    );
    const seen = new Set<number>();
    for (let round = 0; round < 50; round++) {
      const bytes = await store.get('data/ab/swap');
      seen.add(bytes.length);
      for await (const { sizeBytes } of store.list('data/')) seen.add(sizeBytes);
    }
    await writing;
    for (const size of seen) assert([small.length, large.length].includes(size), `an object of ${size} bytes was seen`);
    assert.deepEqual(await namesIn(store, ''), ['data/ab/swap']);
  });
  storeTest('many puts and gets at once', async (store) => {
    const names = Array.from({ length: 64 }, (_, number) => `data/${String(number % 4).padStart(2, '0')}/${number}`);
    await Promise.all(names.map((name, at) => store.put(name, pattern(1000 + at))));
    await Promise.all(
      names.map(async (name, at) => assert(pattern(1000 + at).equals(await store.get(name)), `object ${name}`)),
    );
  });
}

function abortCases(storeTest: StoreTest): void {
  storeTest('a fired signal rejects every method with its reason and changes nothing', async (store) => {
    await store.put('data/ab/kept', pattern(10));
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const refused = (error: unknown) => error === reason;
    await assert.rejects(store.put('data/ab/new', pattern(10), { signal }), refused);
    await assert.rejects(store.get('data/ab/kept', undefined, signal), refused);
    await assert.rejects(store.head('data/ab/kept', signal), refused);
    await assert.rejects(store.delete(['data/ab/kept'], signal), refused);
    await assert.rejects(store.probe(signal), refused);
    await assert.rejects(Array.fromAsync(store.list('', signal)), refused);
    assert.deepEqual(await namesIn(store, ''), ['data/ab/kept']);
  });
  storeTest('a put aborted on its way leaves a whole object or none', async (store) => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const putting = store.put('data/ab/large', pattern(16 * 1024 * 1024), { signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await assert.rejects(putting, (error) => error === reason);
    for await (const { sizeBytes } of store.list('')) assert.equal(sizeBytes, 16 * 1024 * 1024);
  });
  storeTest('a list aborted midway ends with the reason', async (store) => {
    const names = Array.from({ length: 60 }, (_, number) => `index/${number}`);
    await inGroups(names, 30, (name) => store.put(name, pattern(1)));
    const abort = new AbortController();
    const reason = new Error('enough');
    const listing = async () => {
      for await (const _ of store.list('index/', abort.signal)) abort.abort(reason);
    };
    await assert.rejects(listing(), (error) => error === reason);
  });
}

/** Bytes that differ at every place within a few MiB, so that a shifted or mixed object is noticed. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 8) * 17 + size) & 0xff;
  return bytes;
}

function code(...codes: ErrorCode[]): (error: unknown) => boolean {
  return (error) => hasCode(error, ...codes);
}

async function namesIn(store: Store, prefix: string): Promise<string[]> {
  return Object.keys(await sizesIn(store, prefix)).sort();
}

async function sizesIn(store: Store, prefix: string): Promise<Record<string, number>> {
  const infos: ObjectInfo[] = await Array.fromAsync(store.list(prefix));
  assert.equal(new Set(infos.map((info) => info.name)).size, infos.length, 'an object was listed twice');
  return Object.fromEntries(infos.map((info) => [info.name, info.sizeBytes]));
}

async function inGroups<T>(items: T[], size: number, work: (item: T, at: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += size) {
    await Promise.all(items.slice(at, at + size).map((item, within) => work(item, at + within)));
  }
}
