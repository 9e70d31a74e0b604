import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { Repository } from '../../../../core/repository/index.ts';
import { waitFor } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { tempFolder } from '../../../kit/temp.ts';
import {
  coded,
  newPlace,
  noSignal,
  openOptions,
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
  storedBytes,
  thorough,
  work,
} from './prune-kit.ts';

const old: Files = { a: 'a', b: 'b', c: 'shared' };
const kept: Files = { c: 'shared', d: 'd' };

/** Two backups; of the first, packs `a` and `b` and half of `c`'s pack are to go. */
async function twoBackups(t: TestContext): Promise<Place & { first: string; second: string }> {
  const place = await newPlace(t);
  const first = await backUp(place.repository, old);
  return { ...place, first, second: await backUp(place.repository, kept) };
}

test('a backup that runs since before the mark may rely on what is marked: it stays, and its snapshot keeps it', async (t) => {
  const place = await twoBackups(t);
  const { store, first, second } = place;
  const backup = await beginBackup(store);
  await forget(store, first);
  const marked = await prune(store);
  assert(marked.markedPacks > 0);
  const held = await plan(store);
  assert.deepEqual([held.removeBytes, held.waiting.length], [0, 1]);
  assert.match(held.waiting[0]!.waitsFor.join(), /tester@test-host, process/);
  assert.deepEqual((await prune(store)).removedPacks, 0);
  const third = await backup.commit(old);
  assert(backup.writing.addedBytes < 3000, 'it found everything in what is marked');
  const result = await prune(store);
  assert(result.rescuedPacks > 0);
  assert.deepEqual(await names(store, 'marks/').then((all) => all.length), result.markedPacks > 0 ? 2 : 0);
  await assertWhole(t, place, { [second]: kept, [third]: old });
});

test('a backup that began after the mark stores again what is marked, and may run while it is removed', async (t) => {
  const place = await twoBackups(t);
  const { store, first, second } = place;
  await forget(store, first);
  await prune(store);
  const backup = await beginBackup(store);
  const result = await prune(store);
  assert.equal(result.heldUpBy, undefined);
  assert(result.removedPacks > 0 && result.rescuedPacks === 0);
  const third = await backup.commit(old);
  assert(backup.writing.addedBytes > bytesOf('a').length, `${backup.writing.addedBytes} bytes`);
  await assertWhole(t, place, { [second]: kept, [third]: old });
});

test('a backup by restic that relies on marked packs keeps them; one that runs holds the removal up', async (t) => {
  const place = await twoBackups(t);
  const { store, folder, restic, first, second } = place;
  await forget(store, first);
  await prune(store);
  const source = await tempFolder(t);
  await mkdir(join(source, 'x'));
  for (const seed of ['a', 'b']) await writeFile(join(source, 'x', seed), bytesOf(seed));
  const packsBefore = (await names(store, 'data/')).length;
  await restic(['backup', source]);
  assert((await names(store, 'data/')).length <= packsBefore + 2, 'restic stored trees only');
  const endless = await startEndlessBackup(t, folder, store);
  const held = await prune(store);
  assert.match(held.heldUpBy!, /locked by .*process \d+/);
  assert.equal(held.removedPacks, 0);
  await endless.end();
  await restic(['unlock', '--remove-all']);
  const result = await prune(store);
  assert(result.rescuedPacks > 0 && result.heldUpBy === undefined);
  await assertWhole(t, place, { [second]: kept });
  const out = await tempFolder(t);
  await restic(['restore', 'latest', '--path', source, '--target', out]);
  assert(bytesOf('a').equals(await readFile(join(out, source, 'x', 'a'))));
});

/** `restic backup` of a standard input that never ends. */
async function startEndlessBackup(t: TestContext, folder: string, store: Place['store']) {
  const passwordFile = join(await tempFolder(t), 'password');
  await writeFile(passwordFile, password);
  const args = ['--repo', folder, '--password-file', passwordFile, '--no-cache', 'backup', '--stdin'];
  const child = spawn('restic', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  atEnd(t, end);
  await waitFor('its lock', async () => (await names(store, 'locks/')).length > 0);
  return { end };
}

test('a restore that runs holds the removal up, and reads on', async (t) => {
  const place = await twoBackups(t);
  const { store, first, second } = place;
  const repository = await reopen(store);
  {
    await using _ = await repository.lock('shared', noSignal, 'read');
    await using reading = await readBackup(repository, first);
    const folders = await reading.tree(reading.rootTree);
    await forget(store, first);
    await prune(store);
    assert.match((await prune(store)).heldUpBy ?? 'nobody', /tester@test-host|nobody/);
    for (const node of folders) {
      const [file] = await reading.tree(node.subtree!);
      assert(bytesOf(old[node.name]!).equals(await readContent(reading, file!.content!)));
    }
  }
  assert((await prune(store)).removedPacks > 0);
  await assertWhole(t, place, { [second]: kept });
});

test('a restore that began after the mark holds the removal up by its lock', async (t) => {
  const place = await twoBackups(t);
  await forget(place.store, place.first);
  await prune(place.store);
  await using _ = await place.repository.lock('shared', noSignal, 'read');
  const held = await prune(place.store);
  assert.match(held.heldUpBy!, /locked by tester@test-host/);
  assert.equal(held.removedPacks, 0);
  assert.deepEqual((await names(place.store, 'locks/')).length, 1, 'the gate is given back');
});

test('two prunes at once copy twice at worst, and what is left is whole and small', async (t) => {
  const place = await twoBackups(t);
  const { store, first, second } = place;
  await forget(store, first);
  const [one, two] = await Promise.all([reopen(store), reopen(store)]);
  {
    await using lockOne = await one.lock('shared', noSignal, 'prune');
    await using lockTwo = await two.lock('shared', noSignal, 'prune');
    const plans = [await one.planPrune(lockOne, thorough, work), await two.planPrune(lockTwo, thorough, work)] as const;
    await Promise.all([one.prune(plans[0], work), two.prune(plans[1], work)]);
    await assertWhole(t, place, { [second]: kept });
    const third = await two.planPrune(lockTwo, thorough, work);
    const held = await two.prune(third, work);
    assert.equal(held.removedPacks, 0, 'the other one is there');
  }
  await Promise.all([prune(store), prune(store)]);
  for (let round = 0; round < 3; round++) await prune(store);
  await assertWhole(t, place, { [second]: kept });
  assert.deepEqual(await names(store, 'marks/'), []);
  const used = (await plan(store)).usedBytes;
  assert((await storedBytes(store)) < used + 2000, `${await storedBytes(store)} bytes for ${used}`);
});

test('`restic prune` between mark and remove, and again after: marks of what is gone are dropped', async (t) => {
  const place = await twoBackups(t);
  const { store, restic, first, second } = place;
  await forget(store, first);
  await prune(store);
  await restic(['prune', '--max-unused', '0']);
  const packs = await names(store, 'data/');
  const patient = { ...thorough, graceMs: 24 * 3_600_000 };
  assert.deepEqual((await plan(store, patient)).waiting, [], 'what is gone waits for nothing');
  await prune(store, patient);
  assert.deepEqual(await names(store, 'data/'), packs);
  assert.deepEqual(await names(store, 'marks/'), []);
  await assertWhole(t, place, { [second]: kept });
});

test('what a running backup has just stored is not marked, and so the next one finds it', async (t) => {
  const place = await newPlace(t);
  const { store } = place;
  const running = await beginBackup(store);
  const { objects } = await partsOf(store);
  const files: Files = { a: 'a', b: 'b' };
  const snapshot = await running.commit(files);
  const document = await objects.get('snapshots', snapshot);
  await objects.delete('snapshots', [snapshot]);
  // As between the index and the snapshot: the same lock, and no snapshot yet.
  await objects.put('locks', { ...lockOf(running.lock.holder), use: 'write' });
  const planned = await plan(store);
  assert.deepEqual(
    planned.groups.map(({ reason }) => reason),
    ['a running backup wrote it'],
  );
  assert.equal((await prune(store)).markedPacks, 0);
  await objects.put('snapshots', document);
  const next = await beginBackup(store);
  await next.commit(files);
  assert(next.writing.addedBytes === 0);
});

function lockOf(holder: string) {
  const time = new Date().toISOString();
  return { time, exclusive: false, hostname: 'another', username: 'tester', pid: 1, holder };
}

test('a mark waits for its grace period, and one from the future waits longer', async (t) => {
  const { store, first } = await twoBackups(t);
  await forget(store, first);
  await prune(store);
  const dayMs = 24 * 3_600_000;
  const later = async (ms: number) => {
    const clock = { ...systemClock, now: () => new Date(Date.now() + ms) };
    const repository = await Repository.open(openOptions(store, { clock }));
    await using lock = await repository.lock('shared', noSignal, 'prune');
    return (await repository.planPrune(lock, { ...thorough, graceMs: dayMs }, work)).summary;
  };
  for (const [ms, ripe] of [
    [0, false],
    [dayMs - 60_000, false],
    [dayMs + 1000, true],
    [-dayMs, false],
  ] as const) {
    const { removeBytes, waiting } = await later(ms);
    assert.deepEqual([removeBytes > 0, waiting.length], [ripe, ripe ? 0 : 1], `${ms}`);
  }
});

test('a mark whose prune died before it looked at the locks is never ripe, until the next one has looked', async (t) => {
  const place = await twoBackups(t);
  const { store, first, second } = place;
  const backup = await beginBackup(store);
  await forget(store, first);
  await prune(store);
  const { objects } = await partsOf(store);
  for (const name of await names(store, 'marks/')) {
    const id = name.slice('marks/'.length);
    if ('of' in ((await objects.get('marks', id)) as object)) await objects.delete('marks', [id]);
  }
  assert.equal((await plan(store)).removeBytes, 0);
  await prune(store);
  assert.equal((await plan(store)).removeBytes, 0, 'the backup is there still, and now it is known');
  const third = await backup.commit(old);
  await prune(store);
  await assertWhole(t, place, { [second]: kept, [third]: old });
});

test('whoever wants a lock waits while a prune takes packs out of the index', async (t) => {
  const { store, repository } = await newPlace(t);
  const { objects } = await partsOf(store);
  const gate = await objects.put('locks', { ...lockOf('GATE'), exclusive: true, use: 'gate' });
  let held = false;
  const waiting = repository.lock('shared', noSignal).then((lock) => {
    held = true;
    return lock;
  });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert(!held);
  await objects.delete('locks', [gate]);
  await using _ = await waiting;
  await objects.put('locks', { ...lockOf('GATE'), exclusive: true, use: 'prune' });
  await assert.rejects(repository.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /exclusively locked/));
});
