import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../../../core/abort.ts';
import type { ReadRoom, Store } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { ReusedMemory, transferOf } from '../../../core/repository/reused-memory.ts';
import { FaultyStore } from '../../kit/faulty-store.ts';
import { tempFolder } from '../../kit/temp.ts';
import { localStore, noSignal } from './repository-kit.ts';

const old = Buffer.alloc(5000, 'old');
const fresh = Buffer.alloc(3000, 'fresh');

async function twoObjects(t: TestContext): Promise<Store> {
  const store = await localStore(await tempFolder(t));
  await store.put('data/old', old);
  await store.put('data/fresh', fresh);
  return store;
}

test('the same memory is read into again, and what is larger than it has its own', async (t) => {
  const store = await twoObjects(t);
  const room = new ReusedMemory(4000);
  const first = await room.get(store, 'data/fresh', undefined, noSignal);
  assert(fresh.equals(first));
  const second = await room.get(store, 'data/old', { offset: 0, length: 4000 }, noSignal);
  assert(old.subarray(0, 4000).equals(second));
  assert.equal(first.buffer, second.buffer);
  assert.deepEqual([second.buffer instanceof SharedArrayBuffer, transferOf(second)], [true, []]);
  const large = await room.get(store, 'data/old', undefined, noSignal);
  assert(old.equals(large));
  assert.deepEqual(transferOf(large), [large.buffer]);
});

test('a read that is cut short, or fails when half is there, leaves nothing old that passes for new', async (t) => {
  const store = new FaultyStore(await twoObjects(t));
  const room = new ReusedMemory(6000);
  assert(old.equals(await room.get(store, 'data/old', undefined, noSignal)));
  store.plan({ method: 'get', kind: 'cut', after: 100 });
  assert(fresh.subarray(0, 100).equals(await room.get(store, 'data/fresh', undefined, noSignal)));
  store.plan({ method: 'get', kind: 'lost-answer', error: new TidemarkError('DESTINATION_UNREACHABLE', 'away') });
  await assert.rejects(room.get(store, 'data/old', undefined, noSignal), { code: 'DESTINATION_UNREACHABLE' });
  assert(fresh.equals(await room.get(store, 'data/fresh', undefined, noSignal)));
  store.assertAllHit();
});

test('what a store still writes when its reader has gone away comes into nobody’s hands', async (t) => {
  const store = await twoObjects(t);
  const late = Object.assign(Object.create(store), {
    get: (name: string, range: undefined, signal: AbortSignal, room: ReadRoom) =>
      unlessAborted(
        sleep(100).then(() => store.get(name, range, noSignal, room)),
        signal,
      ),
  }) as Store;
  const room = new ReusedMemory(6000);
  const abort = new AbortController();
  const gone = room.get(late, 'data/old', undefined, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(gone, /enough/);
  const bytes = await room.get(store, 'data/fresh', undefined, noSignal);
  await sleep(300);
  assert(fresh.equals(bytes));
});
