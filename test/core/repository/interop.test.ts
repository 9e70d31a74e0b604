import assert from 'node:assert/strict';
import { mkdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Sealer } from '../../../core/repository/format/sealer.ts';
import { Repository } from '../../../core/repository/index.ts';
import { openKey } from '../../../core/repository/keys.ts';
import { Secret } from '../../../core/secret.ts';
import { restic } from '../../kit/restic.ts';
import { tempFolder } from '../../kit/temp.ts';
import {
  coded,
  fileNode,
  folderNode,
  localStore,
  newPlace,
  openOptions,
  password,
  randomBytes,
  readBackup,
  readContent,
  reopen,
  walk,
  writeBackup,
} from './repository-kit.ts';

const files: Record<string, Buffer> = {
  '/empty': Buffer.alloc(0),
  '/one byte': Buffer.from('x'),
  '/folder/deep/text.txt': Buffer.from('all work and no play\n'.repeat(5000)),
  '/folder/random.bin': randomBytes('interop', 3_000_000),
  '/folder/zeros.bin': Buffer.alloc(20_000_000),
  '/tree.json': Buffer.from('{"nodes":[]}\n'), // the bytes of an empty folder's tree
};

test('restic checks, lists, dumps and restores what we wrote', async (t) => {
  const { repository, restic } = await newPlace(t);
  const { id } = await writeBackup(repository, async (sink) => {
    const content = async (path: string) => sink.content(files[path]!);
    const deep = await sink.tree([fileNode('text.txt', await content('/folder/deep/text.txt'))]);
    const folder = await sink.tree([
      folderNode('deep', deep),
      folderNode('nothing', await sink.tree([])),
      fileNode('random.bin', await content('/folder/random.bin'), { mode: 0o4750, uid: 12, gid: 34 }),
      fileNode('zeros.bin', await content('/folder/zeros.bin')),
    ]);
    const more = ['/empty', '/one byte', '/tree.json'];
    const roots = more.map(async (path) => fileNode(path.slice(1), await content(path)));
    return [folderNode('folder', folder), ...(await Promise.all(roots))];
  });
  await restic(['check', '--read-data']);
  const [snapshot] = JSON.parse((await restic(['snapshots', '--json'])).stdout);
  assert.deepEqual([snapshot.id, snapshot.tags, snapshot.hostname], [id, ['tidemark'], 'test-host']);
  const listed = (await restic(['ls', id])).stdout.split('\n').filter((line) => line.startsWith('/'));
  assert.deepEqual(listed.sort(), [...Object.keys(files), '/folder', '/folder/deep', '/folder/nothing'].sort());
  const target = await tempFolder(t);
  await restic(['restore', id, '--target', target, '--verify']);
  for (const [path, bytes] of Object.entries(files)) {
    assert((await restic(['dump', id, path])).stdoutBytes.equals(bytes), `dump ${path}`);
    assert((await readFile(join(target, path))).equals(bytes), `restore ${path}`);
  }
  const restored = await stat(join(target, 'folder/random.bin'), { bigint: true });
  assert.equal(restored.mode & 0o7777n, 0o4750n);
  assert.deepEqual([restored.uid, restored.gid, restored.mtimeNs], [12n, 34n, 1_700_000_000_123_456_789n]);
});

test('what restic wrote into our repository is listed and read', async (t) => {
  const { repository, store, restic } = await newPlace(t);
  const source = await sourceFolder(t);
  await restic(['backup', source, '--tag', 'foreign', '--host', 'elsewhere']);
  const [snapshot, ...others] = await Array.fromAsync(repository.snapshots());
  assert.equal(others.length, 0);
  const { tags, hostname, paths } = snapshot!;
  assert.deepEqual({ tags, hostname, paths }, { tags: ['foreign'], hostname: 'elsewhere', paths: [source] });
  await assertReads(await reopen(store), snapshot!.id, source);
});

test('a repository of restic with several keys and costs, written in turns', async (t) => {
  const folder = join(await tempFolder(t), 'repository');
  const stock = await restic(t, folder, password);
  await stock(['init']);
  const other = join(await tempFolder(t), 'password');
  await writeFile(other, 'another password');
  await stock(['key', 'add', '--new-password-file', other]);
  const source = await sourceFolder(t);
  const store = await localStore(folder);
  await stock(['backup', source]);
  const ours = await Repository.open(openOptions(store, { password: new Secret('another password') }));
  const first = await writeBackup(ours, async (sink) => [fileNode('mine', await sink.content(Buffer.from('ours 1')))]);
  await stock(['backup', source]);
  const second = await writeBackup(await reopen(store), async (sink) => [
    fileNode('mine', await sink.content(Buffer.from('ours 2'))),
  ]);
  await stock(['check', '--read-data']);
  const now = await reopen(store);
  const all = await Array.fromAsync(now.snapshots());
  assert.equal(all.length, 4);
  for (const [{ id }, text] of [
    [first, 'ours 1'],
    [second, 'ours 2'],
  ] as const) {
    await using backup = await readBackup(now, id);
    const [node] = await backup.tree(backup.rootTree);
    assert.equal((await readContent(backup, node!.content!)).toString(), text);
  }
  for (const { id, hostname } of all) if (hostname !== 'test-host') await assertReads(now, id, source);
});

test('restic adds to, prunes our repository, and we go on', async (t) => {
  const { store, repository, restic } = await newPlace(t);
  const backup = (text: string) => async (sink: Parameters<Parameters<typeof writeBackup>[1]>[0]) => [
    fileNode('file', await sink.content(Buffer.from(text))),
    fileNode('random', await sink.content(randomBytes(text, 2_000_000))),
  ];
  const gone = await writeBackup(repository, backup('one'));
  const kept = await writeBackup(repository, backup('two'));
  await restic(['forget', gone.id, '--prune']);
  await assert.rejects(repository.snapshot(gone.id), coded('BACKUP_NOT_FOUND'));
  // The same object, which knew the index before the prune: it must not rely on blobs that are gone.
  const again = await writeBackup(repository, backup('one'));
  await restic(['check', '--read-data']);
  for (const { id } of [kept, again]) {
    await using read = await readBackup(await reopen(store), id);
    assert.equal((await read.tree(read.rootTree)).length, 2);
  }
});

test('keys: ours open with restic, restic’s with us, removed ones with nobody', async (t) => {
  const { folder, store, repository, restic: stock } = await newPlace(t);
  const added = await repository.addKey(new Secret('second'));
  const second = await restic(t, folder, 'second');
  await second(['snapshots']);
  const third = join(await tempFolder(t), 'password');
  await writeFile(third, 'third');
  await second(['key', 'add', '--new-password-file', third]);
  const opened = await Repository.open(openOptions(store, { password: new Secret('third') }));
  assert.equal(opened.id, repository.id);
  const keys = await opened.keys();
  assert.deepEqual(
    keys.map((key) => key.current),
    [false, false, true],
  );
  await assert.rejects(opened.removeKey(keys[2]!.id), coded('JOB_CONFLICT'));
  await opened.removeKey(added);
  await assert.rejects(second(['snapshots']), /wrong password/);
  const withRemoved = Repository.open(openOptions(store, { password: new Secret('second') }));
  await assert.rejects(withRemoved, coded('REPOSITORY_PASSWORD', /none of the 2 keys/));
  await stock(['check']);
});

test('what is no repository, and one of a version that is not known, is refused', async (t) => {
  const folder = await tempFolder(t);
  const store = await localStore(join(folder, 'new'));
  await assert.rejects(Repository.open(openOptions(store)), coded('REPOSITORY_MISSING'));
  await Repository.init(openOptions(store));
  await assert.rejects(Repository.init(openOptions(store)), coded('REPOSITORY_EXISTS'));
  await store.delete(['config']);
  const { master } = await openKey(store, new Secret(password));
  await store.put('config', new Sealer(master).seal(Buffer.from('{"version":3,"id":"00"}')));
  await assert.rejects(Repository.open(openOptions(store)), coded('UNSUPPORTED', /format version 3/));
});

test('of several that make one repository at once, one wins and its key alone remains', async (t) => {
  const folder = join(await tempFolder(t), 'repository');
  const store = await localStore(folder);
  const tries = await Promise.allSettled([1, 2, 3].map(() => Repository.init(openOptions(store))));
  const lost = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  for (const error of lost) coded('REPOSITORY_EXISTS')(error);
  assert.equal(lost.length, 2);
  assert.equal((await (await reopen(store)).keys()).length, 1);
  await (await restic(t, folder, password))(['check']);
});

async function sourceFolder(t: TestContext): Promise<string> {
  const source = await tempFolder(t);
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(source, path, '..'), { recursive: true });
    await writeFile(join(source, path), bytes);
    await utimes(join(source, path), 1_600_000_000.25, 1_600_000_000.25);
  }
  await symlink('folder/deep', join(source, 'link'));
  return source;
}

/** Every file below `source` is in the snapshot with the same bytes. */
async function assertReads(repository: Repository, id: string, source: string): Promise<void> {
  await using backup = await readBackup(repository, id);
  const found = await walk(backup, backup.rootTree);
  for (const [path, bytes] of Object.entries(files)) {
    const node = found.get(source + path);
    assert.equal(node?.mtimeNs, 1_600_000_000_250_000_000n, path);
    assert((await readContent(backup, node.content!)).equals(bytes), path);
  }
  assert.equal(found.get(`${source}/link`)?.linkTarget, 'folder/deep');
}
