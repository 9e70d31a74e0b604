import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BlobType } from '../../../../core/repository/format/pack.ts';
import { unusedLimitBytes } from '../../../../core/repository/prune/options.ts';
import { restic } from '../../../kit/restic.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { cheapenKey } from '../cheapen-key.ts';
import {
  coded,
  localStore,
  newPlace,
  noSignal,
  type Place,
  password,
  readBackup,
  readContent,
  reopen,
} from '../repository-kit.ts';
import { partsOf } from '../walk/parts-of.ts';
import {
  assertWhole,
  backUp,
  beginBackup,
  bytesOf,
  type Files,
  forget,
  names,
  plan,
  prune,
  pruneTwice,
  storedBytes,
  thorough,
} from './prune-kit.ts';

const files: Files = { a: 'a', b: 'b', c: 'c' };

/** Two backups that began together have stored the same blobs, each in packs of its own. */
async function twins(t: TestContext): Promise<Place & { snapshots: Record<string, Files> }> {
  const place = await newPlace(t);
  const [one, two] = [await beginBackup(place.store), await beginBackup(place.store)];
  const snapshots = {
    [await one.commit(files)]: files,
    [await two.commit({ ...files, d: 'd' })]: { ...files, d: 'd' },
  };
  return { ...place, snapshots };
}

test('of blobs that lie in two packs one copy stays', async (t) => {
  const place = await twins(t);
  const before = await storedBytes(place.store);
  const result = await pruneTwice(place.store);
  assert(result.removedPacks > 0);
  const { usedBytes } = await plan(place.store);
  const after = await storedBytes(place.store);
  assert(after < before * 0.7 && after < usedBytes + 1000, `${before} -> ${after}, ${usedBytes} used`);
  await assertWhole(t, place, place.snapshots);
});

test('the copy that stays must be whole: with either of two damaged, no blob is lost', async (t) => {
  for (const which of [0, 1]) {
    const place = await twins(t);
    const { index } = await partsOf(place.store);
    const place1 = index.again()[0]!;
    const all = index.placesOf(index.keyAt(place1)).map((at) => index.locationOf(at));
    const hit = all[which]!;
    const path = join(place.folder, 'data', hex(hit.pack).slice(0, 2), hex(hit.pack));
    const bytes = await readFile(path);
    bytes[hit.offset + 20]! ^= 1;
    await writeFile(path, bytes);
    const before = await names(place.store, 'data/');
    const outcome = await prune(place.store).catch((error) => error);
    if (outcome instanceof Error) {
      coded('REPOSITORY_CORRUPT', /damaged/)(outcome);
      const after = await names(place.store, 'data/');
      assert.deepEqual(
        before.filter((name) => !after.includes(name)),
        [],
      );
      assert.deepEqual(await names(place.store, 'marks/'), []);
    } else {
      await prune(place.store);
    }
    for (const [id, expected] of Object.entries(place.snapshots)) await assertReads(place, id, expected);
  }
});

/** With our own reader, which takes each blob from a pack where it is whole. */
async function assertReads({ store }: Place, id: string, expected: Files): Promise<void> {
  await using backup = await readBackup(await reopen(store), id);
  for (const node of await backup.tree(backup.rootTree)) {
    const [file] = await backup.tree(node.subtree!);
    assert(bytesOf(expected[node.name]!).equals(await readContent(backup, file!.content!)), node.name);
  }
}

const hex = (id: Uint8Array) => Buffer.from(id).toString('hex');

test('packs without compression, of a repository that was of format version 1, are repacked as they are', async (t) => {
  const folder = join(await tempFolder(t), 'repository');
  const program = await restic(t, folder, password);
  await program(['init', '--repository-version', '1']);
  await cheapenKey(await localStore(folder));
  const source = await tempFolder(t);
  const text = (seed: string) => Buffer.from(`${seed} `.repeat(9000));
  for (const name of ['x', 'y', 'z']) await writeFile(join(source, name), text(name));
  await program(['backup', source]);
  await rm(join(source, 'y'));
  await writeFile(join(source, 'new'), text('new'));
  await program(['backup', source]);
  await program(['migrate', 'upgrade_repo_v2']);
  await writeFile(join(source, 'newest'), text('newest'));
  await program(['backup', source]);
  await program(['forget', '--keep-last', '1']);
  const store = await localStore(folder);
  const { copyBytes, groups } = await plan(store);
  assert(copyBytes > text('x').length, JSON.stringify(groups));
  const result = await pruneTwice(store);
  assert(result.removedPacks >= 2);
  await assertWhole(t, { restic: program }, {});
  const out = await tempFolder(t);
  await program(['restore', 'latest', '--target', out]);
  for (const name of ['x', 'z', 'new', 'newest']) assert(text(name).equals(await readFile(join(out, source, name))));
  const { index } = await partsOf(store);
  const plain = Array.from({ length: index.count }, (_, at) => index.locationOf(at).plainBytes === undefined);
  assert(plain.includes(true) && plain.includes(false));
});

test('packs that no index names, of a backup that died, go after their time, but not while anybody writes', async (t) => {
  const place = await newPlace(t);
  const kept = await backUp(place.repository, files);
  const indexBefore = await names(place.store, 'index/');
  const dead = await backUp(await reopen(place.store), { x: 'x', y: 'y' });
  await forget(place.store, dead);
  for (const name of await names(place.store, 'index/'))
    if (!indexBefore.includes(name)) await place.store.delete([name]);
  const running = await beginBackup(place.store);
  assert.equal((await prune(place.store)).markedPacks, 0);
  await running.lock[Symbol.asyncDispose]();
  const marked = await prune(place.store);
  assert.equal(marked.markedPacks, 2);
  const removed = await prune(place.store);
  assert.equal(removed.removedBytes, marked.markedBytes);
  assert.equal((await names(place.store, 'data/')).length, 2);
  await assertWhole(t, place, { [kept]: files });
});

test('index files that name a pack twice become one, and many small ones too', async (t) => {
  const place = await newPlace(t);
  const { store } = place;
  const snapshots: Record<string, Files> = {};
  for (let at = 0; at < 12; at++)
    snapshots[await backUp(await reopen(store), { [`${at}`]: `${at}` })] = { [`${at}`]: `${at}` };
  const { objects } = await partsOf(store);
  const [first] = await names(store, 'index/');
  await objects.put('index', await objects.get('index', first!.slice('index/'.length)));
  const [gone] = Object.keys(snapshots);
  delete snapshots[gone!];
  await forget(store, gone!);
  const planned = await plan(store);
  assert(
    planned.groups.some(({ reason }) => reason === 'small'),
    JSON.stringify(planned.groups),
  );
  await pruneTwice(store);
  assert((await names(store, 'index/')).length <= 2, `${await names(store, 'index/')}`);
  assert.equal((await names(store, 'data/')).length, 2);
  await assertWhole(t, place, snapshots);
});

test('with `now` all goes at once under an exclusive lock, what was marked before, too', async (t) => {
  const place = await newPlace(t);
  const { store } = place;
  const first = await backUp(place.repository, { a: 'a', b: 'b' });
  const second = await backUp(await reopen(store), files);
  const third = await backUp(await reopen(store), { z: 'z' });
  await forget(store, first, third);
  await prune(store);
  await forget(store, second);
  const fourth = await backUp(await reopen(store), { a: 'a' });
  {
    await using _ = await place.repository.lock('shared', noSignal, 'read');
    await assert.rejects(prune(store, { ...thorough, now: true }), coded('REPOSITORY_LOCKED'));
  }
  const result = await prune(store, { ...thorough, now: true });
  assert(result.removedPacks > 0 && result.markedPacks === 0);
  assert.deepEqual(await names(store, 'marks/'), []);
  const { usedBytes } = await plan(store);
  assert((await storedBytes(store)) < usedBytes + 1000);
  await assertWhole(t, place, { [fourth]: { a: 'a' } });
});

test('unused parts stay as far as `maxUnused` lets them', async (t) => {
  const { store, repository } = await newPlace(t);
  const first = await backUp(repository, { ...files, e: 'e' });
  await backUp(repository, files);
  await forget(store, first);
  const dataCopied = async (maxUnused: Parameters<typeof unusedLimitBytes>[0]) =>
    (await plan(store, { ...thorough, maxUnused })).copyBytes > bytesOf('a').length;
  assert.deepEqual(
    [await dataCopied('unlimited'), await dataCopied({ percent: 50 }), await dataCopied({ bytes: 60_000 })],
    [false, false, false],
  );
  assert.deepEqual([await dataCopied({ percent: 5 }), await dataCopied({ bytes: 1000 })], [true, true]);
  assert.equal(unusedLimitBytes({ percent: 5 }, 95), 5);
  assert.equal(unusedLimitBytes({ percent: 100 }, 95), Number.POSITIVE_INFINITY);
  assert.equal(unusedLimitBytes({ percent: 0 }, 95), 0);
});

test('nothing is deleted from a repository that is damaged, whatever it is', async (t) => {
  const source = await newPlace(t);
  const first = await backUp(source.repository, { a: 'a', x: 'x' });
  await backUp(source.repository, files);
  await forget(source.store, first);
  const { index } = await partsOf(source.store);
  const packOf = (type: BlobType) => {
    const at = Array.from({ length: index.count }, (_, place) => place).find(
      (place) => index.isTree(place) === (type === 'tree'),
    );
    return `data/${hex(index.locationOf(at!).pack).slice(0, 2)}/${hex(index.locationOf(at!).pack)}`;
  };
  const objects = async (folder: string) => (await names(source.store, folder))[0]!;
  const aside = join(await tempFolder(t), 'aside');
  for (const name of [packOf('data'), packOf('tree'), await objects('index/'), await objects('snapshots/')]) {
    const path = join(source.folder, name);
    for (const damage of ['delete', 'truncate', 'flip'] as const) {
      if (name.startsWith('snapshots/') && damage === 'delete') continue; // that is to forget it
      if (name === packOf('data') && damage === 'flip') continue; // data is read by check
      await mkdir(aside, { recursive: true });
      const bytes = await readFile(path);
      await rename(path, join(aside, 'object'));
      const flipped = Buffer.from(bytes);
      flipped[40]! ^= 4;
      if (damage === 'truncate') await writeFile(path, bytes.subarray(0, 100));
      if (damage === 'flip') await writeFile(path, flipped);
      const before = await names(source.store, '');
      for (const now of [false, true]) {
        await assert.rejects(
          prune(source.store, { ...thorough, now }),
          coded('REPOSITORY_CORRUPT', /^nothing was removed, because/),
          `${name} ${damage}`,
        );
      }
      assert.deepEqual(await names(source.store, ''), before, `${name} ${damage}`);
      await rename(join(aside, 'object'), path);
    }
  }
  await pruneTwice(source.store);
});

test('a damaged mark stops backups until a prune has taken it away; an empty one says nothing', async (t) => {
  const place = await newPlace(t);
  const { store } = place;
  const kept = await backUp(place.repository, files);
  await store.put(`marks/${'a'.repeat(64)}`, new Uint8Array(0));
  await backUp(await reopen(store), files);
  await store.put(`marks/${'b'.repeat(64)}`, Buffer.from('no mark'));
  await assert.rejects(backUp(await reopen(store), files), coded('REPOSITORY_CORRUPT', /marks\/b+ is damaged/));
  await prune(store);
  assert.deepEqual(await names(store, 'marks/'), []);
  await backUp(await reopen(store), files);
  await assertWhole(t, place, { [kept]: files });
});
