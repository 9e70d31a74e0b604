import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { Repository } from '../../../../core/repository/index.ts';
import { newPlace, noSignal, openOptions, type Place } from '../repository-kit.ts';
import { assertWhole, backUp, type Files, forget, names, prune, thorough, work } from './prune-kit.ts';

const kept: Files = { c: 'c', d: 'd' };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const daily = { ...thorough, graceMs: dayMs };

test('what a clock that ran ahead has marked is marked anew, and goes when a grace period from then on is over', async (t) => {
  const { store, second, place } = await oneThatGoes(t);
  await prune(store, daily, await seenAt(place, 400 * dayMs));
  const [found] = (await planAt(place, 0)).waiting;
  assert(found!.isAhead && found!.bytes > 0, JSON.stringify(found));
  assert.equal((await prune(store, daily)).markedAnew, 1);
  assert.equal((await prune(store, daily)).markedAnew, 0, 'once');
  assert.equal((await names(store, 'marks/')).length, 4, 'two marks and their witnesses');
  const { waiting, removeBytes } = await planAt(place, dayMs - hourMs);
  assert.deepEqual([waiting.length, waiting[0]!.isAhead, removeBytes], [1, false, 0]);
  const removed = await prune(store, daily, await seenAt(place, dayMs + hourMs));
  assert(removed.removedBytes === found!.bytes, JSON.stringify(removed));
  assert.deepEqual(await names(store, 'marks/'), []);
  await assertWhole(t, place, { [second]: kept });
});

test('a clock that runs behind takes no mark for ahead in a way that shortens its grace period', async (t) => {
  const { store, place } = await oneThatGoes(t);
  await prune(store, daily);
  assert.equal((await prune(store, daily, await seenAt(place, -10 * dayMs))).markedAnew, 1);
  const early = await planAt(place, hourMs);
  assert.equal(early.removeBytes, 0, 'it was marked an hour ago, whatever the later mark says');
  const removed = await prune(store, daily, await seenAt(place, dayMs + hourMs));
  assert(removed.removedPacks > 0);
  assert.deepEqual(await names(store, 'marks/'), []);
});

test('who was there at the first mark keeps its packs through the second one', async (t) => {
  const { store, place } = await oneThatGoes(t);
  const by = { host: 'test-host', user: 'tester', pid: 1 };
  const writer = await (await Repository.open(openOptions(store, { by }))).lock('shared', noSignal, 'write');
  t.after(() => writer[Symbol.asyncDispose]());
  await prune(store, daily, await seenAt(place, 400 * dayMs));
  await prune(store, daily);
  assert.equal((await planAt(place, 2 * dayMs)).removeBytes, 0);
  await writer[Symbol.asyncDispose]();
  assert((await planAt(place, 2 * dayMs)).removeBytes > 0);
});

async function oneThatGoes(t: TestContext) {
  const place = await newPlace(t);
  const first = await backUp(place.repository, { a: 'a', b: 'b' });
  const second = await backUp(place.repository, kept);
  await forget(place.store, first);
  return { place, store: place.store, second };
}

/** By a clock that is so far from the true one. */
function seenAt({ store }: Place, offMs: number): Promise<Repository> {
  return Repository.open(openOptions(store, { clock: { ...systemClock, now: () => new Date(Date.now() + offMs) } }));
}

async function planAt(place: Place, offMs: number) {
  const repository = await seenAt(place, offMs);
  await using lock = await repository.lock('shared', noSignal, 'prune');
  return (await repository.planPrune(lock, daily, work)).summary;
}
