import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import type { Store } from '../../../../core/driver/index.ts';
import { type ErrorCode, hasCode, type TidemarkError } from '../../../../core/error.ts';
import { Secret } from '../../../../core/secret.ts';
import { local } from '../../../../drivers/files/index.ts';
import { storeContract } from '../../../contracts/store.ts';
import { badDisk } from '../../../kit/bad-disk.ts';
import { faultyStore } from '../../../kit/faulty-store.ts';
import { runOk } from '../../../kit/process.ts';
import { RecordingStore } from '../../../kit/recording-store.ts';
import { atEnd } from '../../../kit/scope.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { tempFolder } from '../../../kit/temp.ts';

storeContract(
  'local',
  async (t) => openLocal(join(await tempFolder(t), 'new', 'store')),
  async (t) => {
    const [folder, name] = [await tempFolder(t), 'data/ab/broken'];
    await mkdir(join(folder, 'data/ab'), { recursive: true });
    await writeFile(join(folder, name), Buffer.alloc(8 * 2 ** 20, 'broken'));
    return { store: await openLocal(await badDisk(t, folder, join(folder, name), 4 * 2 ** 20)), name };
  },
);
storeContract('local on a mount', async (t) => openLocal(await smallDisk(t, 64 * 2 ** 20), { requireMount: true }));
storeContract(
  'local, recorded, with faults that are not due',
  async (t) => new RecordingStore(faultyStore(t, await openLocal(await tempFolder(t)))),
);

test('objects and folders are for the owner only', async (t) => {
  const root = join(await tempFolder(t), 'store');
  await using store = await openLocal(root);
  await store.put('data/ab/object', Buffer.from('x'));
  assert.equal((await stat(join(root, 'data/ab/object'))).mode & 0o777, 0o600);
  for (const folder of ['.', 'data', 'data/ab']) assert.equal((await stat(join(root, folder))).mode & 0o777, 0o700);
});

test('opening creates nothing', async (t) => {
  const root = join(await tempFolder(t), 'store');
  await using store = await openLocal(root);
  assert.deepEqual(await Array.fromAsync(store.list('')), []);
  assert(!existsSync(root));
});

test('unfinished objects, ours and restic’s, are not listed; only old ones of ours are removed', async (t) => {
  const root = await tempFolder(t);
  await using store = await openLocal(root);
  await store.put('data/ab/whole', Buffer.from('x'));
  const folder = join(root, 'data/ab');
  const [stale, fresh, foreign] = ['a-tmp-0123456789abcdef', 'b-tmp-0123456789abcdef', 'c-tmp-123456789'] as const;
  for (const name of [stale, fresh, foreign]) await writeFile(join(folder, name), 'half');
  const twoDaysAgo = new Date(Date.now() - 48 * 3600 * 1000);
  for (const name of [stale, foreign]) await utimes(join(folder, name), twoDaysAgo, twoDaysAgo);
  assert.deepEqual(await Array.fromAsync(store.list('')), [{ name: 'data/ab/whole', sizeBytes: 1 }]);
  assert.deepEqual((await readdir(folder)).sort(), [fresh, foreign, 'whole']);
});

test('a full disk is DESTINATION_FULL, shows nothing half, and works again when there is space', async (t) => {
  const root = await smallDisk(t, 4 * 2 ** 20);
  await using store = await openLocal(root);
  await store.put('data/ab/first', Buffer.alloc(2 ** 20, 1));
  for (const ifAbsent of [false, true]) {
    await assert.rejects(
      store.put('data/ab/large', Buffer.alloc(8 * 2 ** 20, 1), { ifAbsent }),
      code('DESTINATION_FULL'),
    );
  }
  assert.deepEqual(await readdir(join(root, 'data/ab')), ['first']);
  await store.delete(['data/ab/first']);
  await store.put('data/ab/large', Buffer.alloc(3 * 2 ** 20, 1));
  assert.equal((await store.head('data/ab/large')).sizeBytes, 3 * 2 ** 20);
});

test('probe tells that the disk is full', async (t) => {
  const root = await smallDisk(t, 2 ** 20);
  await writeFile(join(root, 'filler'), Buffer.alloc(2 ** 20)).catch(() => undefined);
  await using store = await openLocal(root);
  const problems = await store.probe();
  assert.match(problems[0]?.summary ?? '', /no space left/);
  assert.equal(problems[0]?.severity, 'error');
});

test('a read-only file system is DESTINATION_DENIED for put and delete, and readable', async (t) => {
  const root = await smallDisk(t, 2 ** 20);
  await using store = await openLocal(root);
  await store.put('config', Buffer.from('x'));
  await runOk('mount', ['-o', 'remount,ro', root]);
  await assert.rejects(store.put('other', Buffer.from('x')), code('DESTINATION_DENIED'));
  await assert.rejects(store.delete(['config']), code('DESTINATION_DENIED'));
  assert.equal(Buffer.from(await store.get('config')).toString(), 'x');
});

test('without its mount a destination is unreachable, and nothing is created beneath', async (t) => {
  const root = join(await tempFolder(t), 'not-mounted');
  await mkdir(root);
  await assert.rejects(openLocal(join(root, 'store'), { requireMount: true }), (error: TidemarkError) => {
    assert.equal(error.code, 'DESTINATION_UNREACHABLE');
    assert.equal(error.subject, 'destinations.test');
    return true;
  });
  assert.deepEqual(await readdir(root), []);
});

test('a mount that goes away while the store is open is unreachable, not empty', async (t) => {
  const root = await smallDisk(t, 2 ** 20);
  await using store = await openLocal(join(root, 'store'), { requireMount: true });
  await store.put('config', Buffer.from('x'));
  await runOk('umount', [root]);
  const calls: [string, () => Promise<unknown>][] = [
    ['put', () => store.put('config', Buffer.from('x'))],
    ['get', () => store.get('config')],
    ['head', () => store.head('config')],
    ['list', () => Array.fromAsync(store.list(''))],
    ['delete', () => store.delete(['config'])],
  ];
  for (const [name, call] of calls) await assert.rejects(call(), code('DESTINATION_UNREACHABLE'), name);
  assert.match((await store.probe())[0]?.summary ?? '', /not on a mounted file system/);
  assert.deepEqual(await readdir(root), []);
});

for (const below of ['', 'store']) {
  test(`without requireMount too a mount that goes away is unreachable${below && ', and the folder on it is not made again'}`, async (t) => {
    const root = await smallDisk(t, 2 ** 20);
    await using store = await openLocal(join(root, below));
    await store.put('config', Buffer.from('x'));
    await store.put('data/ab/object', Buffer.from('x'));
    await runOk('umount', ['--lazy', root]);
    const calls: [string, () => Promise<unknown>][] = [
      ['put', () => store.put('config', Buffer.from('x'))],
      ['put of a new folder', () => store.put('data/cd/object', Buffer.from('x'))],
      ['get', () => store.get('config')],
      ['head', () => store.head('config')],
      ['list', () => Array.fromAsync(store.list('data/'))],
      ['delete', () => store.delete(['config'])],
    ];
    for (const [name, call] of calls) {
      await assert.rejects(call(), (error: TidemarkError) => {
        assert.deepEqual([error.code, /requireMount/.test(error.hint ?? '')], ['DESTINATION_UNREACHABLE', true], name);
        return true;
      });
    }
    assert.deepEqual(await readdir(root), []);
  });
}

test('a probe leaves no folder behind', async (t) => {
  const root = await tempFolder(t);
  await using store = await openLocal(join(root, 'a/b'));
  assert.deepEqual(await store.probe(), []);
  assert.deepEqual(await readdir(root), []);
  await store.put('config', Buffer.from('x'));
  assert.deepEqual(await store.probe(), []);
  assert.deepEqual(await readdir(join(root, 'a/b')), ['config']);
});

test('a folder in which the user may not write is DESTINATION_DENIED', async (t) => {
  const root = await tempFolder(t);
  await chmod(root, 0o555);
  const script = `
    import { local } from '${import.meta.resolve('../../../../drivers/files/index.ts')}';
    import { systemClock } from '${import.meta.resolve('../../../../core/clock.ts')}';
    process.setgid(65534); process.setuid(65534);
    const store = await local.open({ path: ${JSON.stringify(root)} }, { subject: 'x', clock: systemClock });
    await store.put('config', Buffer.from('x')).catch((error) => process.stdout.write(error.code));`;
  const { stdout } = await runOk(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(stdout, 'DESTINATION_DENIED');
});

function openLocal(path: string, settings: { requireMount?: boolean } = {}): Promise<Store> {
  return local.open(
    { path, ...settings },
    {
      subject: 'destinations.test',
      clock: systemClock,
      secret: async (text) => new Secret(text),
    },
  );
}

function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => hasCode(error, expected);
}

test('a pipe or a socket in the place of an object is named, and not waited for', async (t) => {
  const root = await tempFolder(t);
  await using store = await openLocal(root);
  await runOk('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  atEnd(t, () => void server.close());
  for (const name of ['pipe', 'socket']) {
    const named = { code: 'REPOSITORY_CORRUPT', message: `${name} is a ${name}, where a file should be` };
    await assert.rejects(store.get(name), named);
    await assert.rejects(store.head(name), named);
  }
});
