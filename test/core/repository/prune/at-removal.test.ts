import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../../core/clock.ts';
import type { BlobLocation } from '../../../../core/repository/blob-index.ts';
import { Repository } from '../../../../core/repository/index.ts';
import { markedPacks, readMarks } from '../../../../core/repository/prune/marks.ts';
import {
  coded,
  fileNode,
  folderNode,
  newPlace,
  noSignal,
  openOptions,
  type Place,
  readBackup,
  readContent,
  reopen,
} from '../repository-kit.ts';
import { partsOf } from '../walk/parts-of.ts';
import { backUp, beginBackup, bytesOf, type Files, forget, names, prune, thorough, work } from './prune-kit.ts';

const files: Files = { a: 'a', b: 'b', c: 'c' };
const hex = (id: Uint8Array) => Buffer.from(id).toString('hex');

/** Two backups of the same, each with packs of its own, of which those of one are marked. Gives a copy that stays. */
async function markedTwins(t: TestContext): Promise<Place & { snapshots: string[]; stays: BlobLocation }> {
  const place = await newPlace(t);
  const backups = [await beginBackup(place.store), await beginBackup(place.store)];
  const snapshots: string[] = [];
  for (const backup of backups) snapshots.push(await backup.commit(files));
  assert((await prune(place.store)).markedPacks > 0);
  const { index, objects } = await partsOf(place.store);
  const marked = markedPacks(await readMarks(objects, noSignal));
  const all = Array.from({ length: index.count }, (_, at) => index.locationOf(at));
  const staying = all.filter(({ type, pack }) => type === 'data' && !marked.has(hex(pack)));
  return { ...place, snapshots, stays: staying.reduce((one, other) => (other.offset > one.offset ? other : one)) };
}

async function assertReads({ store }: Pick<Place, 'store'>, id: string, expected: Files): Promise<void> {
  await using backup = await readBackup(await reopen(store), id);
  for (const node of await backup.tree(backup.rootTree)) {
    const [file] = await backup.tree(node.subtree!);
    assert(bytesOf(expected[node.name]!).equals(await readContent(backup, file!.content!)), node.name);
  }
}

test('a copy whose pack was cut short after the mark is none: the marked one stays', async (t) => {
  const place = await markedTwins(t);
  const { pack, offset, length } = place.stays;
  await truncate(join(place.folder, 'data', hex(pack).slice(0, 2), hex(pack)), offset + length - 10);
  await prune(place.store).catch(coded('REPOSITORY_CORRUPT', /./));
  for (const id of place.snapshots) await assertReads(place, id, files);
});

test('a copy that was damaged after the mark is found before the marked one goes', async (t) => {
  const place = await markedTwins(t);
  const { pack, offset } = place.stays;
  const path = join(place.folder, 'data', hex(pack).slice(0, 2), hex(pack));
  const bytes = await readFile(path);
  bytes[offset + 20]! ^= 1;
  await writeFile(path, bytes);
  await assert.rejects(prune(place.store), coded('REPOSITORY_CORRUPT', /damaged/));
  for (const id of place.snapshots) await assertReads(place, id, files);
});

test('a plan that took a snapshot for gone is not executed while it is there', async (t) => {
  const place = await newPlace(t);
  const first = await backUp(await reopen(place.store), { a: 'a' });
  await backUp(await reopen(place.store), { b: 'b' });
  for (const now of [false, true]) {
    const stale = prune(place.store, { ...thorough, now, forgetting: [first] });
    await assert.rejects(stale, coded('CHANGE_STALE', /is there/));
  }
  assert.deepEqual(await names(place.store, 'marks/'), []);
  await assertReads(place, first, { a: 'a' });
});

interface SetClock extends Clock {
  offsetMs: number;
}

const minuteMs = 60_000;

/** As that of a machine that can sleep: the monotonic one stands still then. */
function setClock(offsetMs = 0): SetClock {
  return {
    offsetMs,
    now() {
      return new Date(systemClock.now().getTime() + this.offsetMs);
    },
    monotonicMs: () => systemClock.monotonicMs(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}

/** A backup of file `a`, which relies on what is in the repository, on a machine of its own. */
async function writerOn(store: Place['store'], clock: Clock) {
  const repository = await Repository.open(openOptions(store, { clock }));
  const lock = await repository.lock('shared', noSignal, 'write');
  const writing = await repository.write(lock, work);
  const commit = async () => {
    const file = fileNode('file', await writing.content(bytesOf('a')));
    const tree = await writing.tree([folderNode('a', await writing.tree([file]))]);
    const by = { hostname: 'h', username: 'u', tags: ['tidemark'], programVersion: 'test' };
    return writing.commit({ time: new Date().toISOString(), tree, paths: ['/t'], ...by }, lock.signal);
  };
  return { lock, commit };
}

test('a writer whose lock looked stale only when the mark was written wakes up, and keeps what it relies on', async (t) => {
  const { store } = await newPlace(t);
  await forget(store, await backUp(await reopen(store), { a: 'a' }));
  const asleep = setClock(-25 * minuteMs);
  const writer = await writerOn(store, asleep);
  await using _ = writer.lock;
  const clock = setClock();
  const pruning = await Repository.open(openOptions(store, { clock }));
  {
    await using lock = await pruning.lock('shared', noSignal, 'prune');
    const plan = await pruning.planPrune(lock, thorough, work);
    clock.offsetMs = 6 * minuteMs; // while all trees are walked
    assert((await pruning.prune(plan, work)).markedPacks > 0);
  }
  asleep.offsetMs = 6 * minuteMs;
  await writer.lock.confirm();
  clock.offsetMs = 7 * minuteMs;
  assert.equal((await prune(store, thorough, pruning)).removedPacks, 0);
  await assertReads({ store }, await writer.commit(), { a: 'a' });
});

/** A store that tells what it has put. */
function withPut(store: Place['store'], tell: (name: string) => Promise<void>): Place['store'] {
  const put: Place['store']['put'] = async (name, ...rest) => {
    const done = await store.put(name, ...rest);
    await tell(name);
    return done;
  };
  const get = (_: unknown, key: string | symbol) => {
    if (key === 'put') return put;
    const own = Reflect.get(store, key, store);
    return typeof own === 'function' ? own.bind(store) : own;
  };
  return new Proxy<Place['store']>(store, { get });
}

test('a backup whose machine stood still while it wrote its snapshot takes it back', async (t) => {
  const place = await newPlace(t);
  const clock = setClock();
  const sleepy = withPut(place.store, async (name) => {
    if (!name.startsWith('snapshots/')) return;
    clock.offsetMs = 40 * minuteMs;
    await place.store.delete(await names(place.store, 'locks/')); // as whoever takes it for left behind
  });
  const writer = await writerOn(sleepy, clock);
  await using _ = writer.lock;
  await assert.rejects(writer.commit(), coded('REPOSITORY_LOCK_LOST', /removed the lock/));
  assert.deepEqual(await names(place.store, 'snapshots/'), []);
});
