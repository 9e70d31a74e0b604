import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { ByteRange, ReadRoom } from '../../../../core/driver/index.ts';
import { TidemarkError } from '../../../../core/error.ts';
import type { ReadAmount } from '../../../../core/repository/check/slice.ts';
import type { RepairPlan, Repository } from '../../../../core/repository/index.ts';
import { faultyStore } from '../../../kit/faulty-store.ts';
import { RecordingStore } from '../../../kit/recording-store.ts';
import { coded, newPlace, noSignal, reopen } from '../repository-kit.ts';
import { check, filesIn, told, work } from './check-kit.ts';
import { damages, twoBackups } from './damages.ts';

/** A disk that gives back other bytes each time: what a repair planned by is not what it reads when it works. */

async function plan(repository: Repository, read: ReadAmount = { share: 1 }): Promise<RepairPlan> {
  await using _ = await repository.lock('shared', noSignal);
  return JSON.parse(JSON.stringify(await repository.planRepair({ read }, work)));
}

async function repair(repository: Repository, planned: RepairPlan): Promise<void> {
  await using lock = await repository.lock('exclusive', noSignal);
  await repository.repair(lock, planned, { manifestOf: async () => undefined, onChange: async () => {} }, work);
}

const stale = coded('CHANGE_STALE', /as it could when this repair was planned; .* nothing is lost by it/);

test('a repair that reads less than its plan did ends there, and what it could not read is where it was', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['a flipped bit in data']!.does(place, files);
  const store = faultyStore(t, place.store);
  const repository = await reopen(store);
  const planned = await plan(repository);
  const size = (await readFile(files.dataPack)).length;
  const pack = new RegExp(basename(files.dataPack));
  for (const at of [size - 400_000, size - 20]) {
    store.plan({ method: 'get', match: pack, kind: 'flip', at });
    await assert.rejects(repair(repository, planned), stale, `byte ${at}`);
  }
  await assert.rejects(readdir(join(place.folder, 'damaged')), { code: 'ENOENT' });
  const fresh = await reopen(place.store);
  assert.deepEqual((await plan(fresh)).snapshots, planned.snapshots);
  await repair(fresh, await plan(fresh));
  assert.deepEqual(told(await check(fresh, { read: { share: 1 } })), []);
});

test('a pack whose list cannot be read a second time is not taken in without its blobs', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['an index file that is gone, and a flipped bit in data']!.does(place, files);
  const store = faultyStore(t, place.store);
  const repository = await reopen(store);
  const planned = await plan(repository);
  assert.deepEqual(new Set(planned.packs.map(({ action }) => action)), new Set(['salvage', 'take-in']));
  for (const { id } of planned.packs) {
    const size = (await readFile(join(place.folder, 'data', id.slice(0, 2), id))).length;
    store.plan({ method: 'get', match: new RegExp(id), kind: 'flip', at: size - 20 });
    await assert.rejects(repair(repository, await plan(place.repository)), stale, id);
  }
});

test('a folder that cannot be read while its backup is rewritten is not taken for lost', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['a flipped bit in data']!.does(place, files);
  const store = faultyStore(t, place.store);
  const repository = await reopen(store);
  const planned = await plan(repository);
  const error = new TidemarkError('REPOSITORY_CORRUPT', 'EIO');
  const match = new RegExp(basename(files.treePack));
  store.plan({ method: 'get', match, kind: 'error', error }, { method: 'get', match, kind: 'error', error });
  await assert.rejects(repair(repository, planned), stale);
  const fresh = await reopen(place.store);
  assert.equal((await Array.fromAsync(fresh.snapshots())).length, 2);
  await repair(fresh, await plan(fresh));
  assert.deepEqual(told(await check(fresh, { read: { share: 1 } })), []);
});

test('a quick repair, too, reads the packs in which the walk through all folders found damage', async (t) => {
  const place = await newPlace(t);
  const files = await twoBackups(place);
  await damages['a flipped bit in a tree']!.does(place, files);
  const planned = await plan(place.repository, 'none');
  assert.deepEqual(
    planned.packs.map(({ id, action }) => [id, action]),
    [[basename(files.treePack), 'salvage']],
  );
  await repair(place.repository, planned);
  assert.deepEqual(told(await check(await reopen(place.store), { read: { share: 1 } })), []);
});

/** Reads `data/` well so many times, and nothing of it after that. */
class DyingDisk extends RecordingStore {
  left = Number.POSITIVE_INFINITY;

  override async get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    if (name.startsWith('data/') && this.left-- <= 0) throw new TidemarkError('REPOSITORY_CORRUPT', 'EIO');
    return super.get(name, range, signal, room);
  }
}

test('what is moved aside is the original, whatever the disk gives back of it by then', async (t) => {
  for (const [name, reads] of [
    ['a flipped bit in data', 1],
    ['a pack in a wrong folder', 0],
  ] as const) {
    const place = await newPlace(t);
    const files = await twoBackups(place);
    await damages[name]!.does(place, files);
    const [pack] = (await filesIn(place.folder, 'data')).filter((path) => basename(path) === basename(files.dataPack));
    const original = await readFile(pack!);
    const disk = new DyingDisk(place.store);
    const repository = await reopen(disk);
    const planned = await plan(repository);
    disk.left = reads;
    await repair(repository, planned).catch(() => {}); // nothing can be rewritten with such a disk
    const kept = (await filesIn(place.folder, '')).filter((path) => basename(path) === basename(files.dataPack));
    assert.equal(kept.length, 1, name);
    assert(original.equals(await readFile(kept[0]!)), name);
  }
});
