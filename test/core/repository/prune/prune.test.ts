import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingStore } from '../../../kit/recording-store.ts';
import { newPlace, reopen } from '../repository-kit.ts';
import { assertWhole, backUp, forget, names, plan, prune, storedBytes } from './prune-kit.ts';

test('what nothing needs goes after its time, what is needed stays; a plan touches nothing', async (t) => {
  const place = await newPlace(t);
  const { store, repository } = place;
  const old = { a: 'a', b: 'b', c: 'shared' };
  const kept = { c: 'shared', d: 'd' };
  const first = await backUp(repository, old);
  const second = await backUp(repository, kept);
  await forget(store, first, 'f'.repeat(64));
  const recording = new RecordingStore(store);
  const before = await names(store, '');
  const planned = await plan(recording);
  assert(planned.markBytes > 0 && planned.removeBytes === 0);
  const changed = recording.calls.filter(({ method }) => method === 'put' || method === 'delete');
  assert.deepEqual(
    changed.filter(({ name }) => !name.startsWith('locks/')),
    [],
  );
  assert.deepEqual(await names(store, ''), before);
  const marked = await prune(store);
  assert.equal(marked.removedPacks, 0);
  await assertWhole(t, place, { [second]: kept });
  const bytes = await storedBytes(store);
  const removed = await prune(store);
  assert.equal(await storedBytes(store), bytes - removed.removedBytes);
  assert.equal(removed.removedBytes, marked.markedBytes);
  assert.deepEqual(
    [marked.netBytes, removed.netBytes],
    [-marked.copiedBytes, removed.removedBytes - removed.copiedBytes],
  );
  assert.deepEqual(await names(store, 'marks/'), []);
  await assertWhole(t, place, { [second]: kept });
  const { gateMs, ...rest } = removed;
  assert(gateMs! > 0 && marked.gateMs === undefined, 'for so long nobody could begin');
  assert.deepEqual(await prune(store), { ...rest, removedBytes: 0, netBytes: 0, removedPacks: 0 });
  const third = await backUp(await reopen(store), old);
  await assertWhole(t, place, { [second]: kept, [third]: old });
});
