import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Store } from '../../../core/driver/index.ts';
import { asTidemarkError, type ErrorCode, TidemarkError } from '../../../core/error.ts';
import { FaultyStore } from '../../kit/faulty-store.ts';
import {
  coded,
  fileNode,
  localStore,
  newPlace,
  noProgress,
  noSignal,
  type Place,
  randomBytes,
  readContent,
  reopen,
  within,
  writeBackup,
} from './repository-kit.ts';

const bytes = randomBytes('damage', 700_000);
const unreachable = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');

const damages: Record<string, (path: string) => Promise<void>> = {
  'cut in half': async (path) => truncate(path, (await readFile(path)).length >> 1),
  'cut to nothing': (path) => truncate(path, 0),
  'with a flipped bit': async (path) => {
    const content = await readFile(path);
    content[content.length >> 1]! ^= 4;
    await writeFile(path, content);
  },
  deleted: (path) => rm(path),
};

/** What reading everything says when such a file is damaged, and what when it is deleted. */
const expected: Record<string, { damaged: [ErrorCode, string]; deleted: [ErrorCode, string] }> = {
  config: {
    damaged: ['REPOSITORY_CORRUPT', '^config is damaged$'],
    deleted: ['REPOSITORY_CORRUPT', 'has `snapshots/` and no file `config`'],
  },
  keys: {
    damaged: ['REPOSITORY_CORRUPT', '^keys/NAME is damaged$'],
    deleted: ['REPOSITORY_CORRUPT', 'the repository has no key'],
  },
  index: {
    damaged: ['REPOSITORY_CORRUPT', '^index/NAME is damaged$'],
    deleted: ['REPOSITORY_CORRUPT', '^tree blob [0-9a-f]{64} is in no index$'],
  },
  snapshots: {
    damaged: ['REPOSITORY_CORRUPT', '^snapshots/NAME is damaged$'],
    deleted: ['BACKUP_NOT_FOUND', 'is not in the repository'],
  },
  data: {
    damaged: ['REPOSITORY_CORRUPT', '^blob [0-9a-f]{64} (in|is lost:) pack NAME (is damaged|is cut short)$'],
    deleted: ['REPOSITORY_CORRUPT', '^blob [0-9a-f]{64} is lost: pack NAME is missing$'],
  },
};

for (const [kind, says] of Object.entries(expected)) {
  test(`damage to ${kind} is named and never gives wrong data`, async (t) => {
    const { folder, id } = await sound(t);
    const files = await filesBelow(folder, kind);
    assert(files.length > 0);
    for (const path of files) {
      const content = await readFile(path);
      for (const [how, damage] of Object.entries(damages)) {
        await damage(path);
        const [code, message] = how === 'deleted' ? says.deleted : says.damaged;
        const name = path.split('/').at(-1)!;
        await assert.rejects(
          within(20_000, how, readAll(folder, id)),
          coded(code, new RegExp(message.replace('NAME', name))),
          how,
        );
        await writeFile(path, content);
      }
    }
    await readAll(folder, id);
  });
}

test('a damaged key does not keep another key from opening', async (t) => {
  const { folder, store } = await sound(t);
  const copy = await readFile((await filesBelow(folder, 'keys'))[0]!);
  await writeFile(join(folder, 'keys', '0'.repeat(64)), copy.subarray(0, 100));
  await reopen(store);
});

test('damaged snapshots are told and the others listed', async (t) => {
  const { folder, repository, id } = await sound(t);
  const { id: second } = await writeSome(repository);
  await truncate(join(folder, 'snapshots', id), 10);
  const told: string[] = [];
  const listed = await Array.fromAsync(repository.snapshots(noSignal, (error) => told.push(error.message)));
  assert.deepEqual([listed.map((snapshot) => snapshot.id), told], [[second], [`snapshots/${id} is damaged`]]);
  await assert.rejects(Array.fromAsync(repository.snapshots()), coded('REPOSITORY_CORRUPT'));
});

test('bytes that the store garbles on the way are found', async (t) => {
  const { folder, store, id } = await sound(t);
  const faulty = new FaultyStore(store);
  for (const match of [/^config/, /^keys/, /^index/, /^snapshots/, /^data/]) {
    for (const fault of [
      { kind: 'flip', at: 40 },
      { kind: 'cut', after: 50 },
    ] as const) {
      faulty.plan({ method: 'get', match, ...fault });
      await assert.rejects(readAll(folder, id, faulty), coded('REPOSITORY_CORRUPT'), `${match} ${fault.kind}`);
      faulty.assertAllHit();
    }
    faulty.plan({ method: 'get', match, kind: 'error', error: unreachable });
    await assert.rejects(readAll(folder, id, faulty), coded('DESTINATION_UNREACHABLE'), `${match}`);
    faulty.assertAllHit();
  }
  for (const match of [/^keys/, /^index/]) {
    faulty.plan({ method: 'list', match, kind: 'cut', after: 0, error: unreachable });
    await assert.rejects(readAll(folder, id, faulty), coded('DESTINATION_UNREACHABLE'), `list ${match}`);
    faulty.assertAllHit();
  }
  await readAll(folder, id, faulty);
});

test('a backup whose pack, index, snapshot or lock cannot be stored fails, shows nothing and can be made again', async (t) => {
  const place = await newPlace(t);
  const { store, restic } = place;
  for (const match of [/^locks/, /^data/, /^index/, /^snapshots/]) {
    for (const kind of ['error', 'lost-answer'] as const) {
      const faulty = new FaultyStore(store, { method: 'put', match, kind, error: unreachable });
      await assert.rejects(
        within(20_000, `${match}`, reopen(faulty).then(writeSome)),
        coded('DESTINATION_UNREACHABLE'),
      );
      faulty.assertAllHit();
      const shown = await Array.fromAsync((await reopen(store)).snapshots());
      const unknown = `${match}` === '/^snapshots/' && kind === 'lost-answer'; // it is there, though the answer was lost
      assert.equal(shown.length, unknown ? 1 : 0, `${match} ${kind}`);
    }
  }
  await writeSome(await reopen(store));
  await restic(['unlock', '--remove-all']);
  await restic(['check', '--read-data']);
});

test('a destination that goes away in a backup is what the error says, though the lock cannot be removed either', async (t) => {
  const { store } = await newPlace(t);
  const faulty = new FaultyStore(
    store,
    { method: 'put', match: /^data/, kind: 'error', error: unreachable },
    { method: 'delete', match: /^locks/, kind: 'error', error: new Error('gone as well') },
  );
  const failure = await reopen(faulty).then(writeSome).catch(asTidemarkError);
  assert.equal(failure, unreachable);
  faulty.assertAllHit();
});

test('an index that could not be loaded once is loaded at the next try', async (t) => {
  const { store, id } = await sound(t);
  const faulty = new FaultyStore(store);
  const repository = await reopen(faulty);
  const snapshot = await repository.snapshot(id);
  const read = () => repository.read(snapshot, { threads: 1, progress: noProgress, signal: noSignal });
  faulty.plan({ method: 'get', match: /^index/, kind: 'error', error: unreachable });
  await assert.rejects(read(), coded('DESTINATION_UNREACHABLE'));
  await (await read())[Symbol.asyncDispose]();
});

type Sound = Place & { id: string };

async function sound(t: TestContext): Promise<Sound> {
  const place = await newPlace(t);
  return { ...place, id: (await writeSome(place.repository)).id };
}

function writeSome(repository: Place['repository']): Promise<{ id: string }> {
  return writeBackup(repository, async (sink) => [fileNode('file', await sink.content(bytes))]);
}

async function filesBelow(folder: string, kind: string): Promise<string[]> {
  if (kind === 'config') return [join(folder, kind)];
  const entries = await readdir(join(folder, kind), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Opens anew and reads everything; what comes must be what was stored. */
async function readAll(folder: string, id: string, store?: Store): Promise<void> {
  const repository = await reopen(store ?? (await localStore(folder)));
  const snapshot = await repository.snapshot(id);
  await using backup = await repository.read(snapshot, { threads: 1, progress: noProgress, signal: noSignal });
  const [node] = await backup.tree(backup.rootTree);
  assert((await readContent(backup, node!.content!)).equals(bytes));
}
