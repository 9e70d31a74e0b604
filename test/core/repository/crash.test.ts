import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { BackupSink, Content, Node } from '../../../core/driver/index.ts';
import { Repository } from '../../../core/repository/index.ts';
import { start, waitFor } from '../../kit/process.ts';
import { RecordingStore } from '../../kit/recording-store.ts';
import {
  fileNode,
  folderNode,
  newPlace,
  openOptions,
  randomBytes,
  readBackup,
  readContent,
  reopen,
  sha256,
  writeBackup,
} from './repository-kit.ts';
import { moduleUrl, type Result, type Setup, type Task } from './work-thread.ts';

const mib = 1024 * 1024;
const child = join(import.meta.dirname, 'crash-child.ts');

const random: Task[] = Array.from({ length: 20 }, (_, at) => ({ kind: 'random', seed: `${at}`, sizeBytes: 24 * mib }));
/** An index is written after 50,000 blobs; these are 100,000 and then more than the process gets to. */
const small: Task[] = [
  { kind: 'small-blobs', seed: 'small', count: 100_000 },
  { kind: 'random', seed: 'late', sizeBytes: 2000 * mib },
];

for (const [what, tasks, enough] of [
  ['before any pack', random, (said) => said.length >= 1],
  ['after a pack', random, (said) => said.includes('data')],
  ['after an index', small, (said) => said.includes('index')],
] as [string, Task[], (said: string[]) => boolean][]) {
  test(`a backup killed ${what} leaves a sound repository, and the next one works`, { timeout: 120_000 }, async (t) => {
    const { folder, store, restic } = await newPlace(t);
    const running = await start(t, process.execPath, [child, folder, JSON.stringify(tasks)]);
    await waitFor(what, () => enough(running.output().split('\n').slice(0, -1)), { timeoutMs: 60_000, everyMs: 5 });
    await running.end('SIGKILL');
    await restic(['check', '--no-lock']);
    const survivor = await Repository.open(openOptions(store, { processAlive: (pid) => pid !== running.pid }));
    assert.deepEqual(await Array.fromAsync(survivor.snapshots()), []);
    const { id, addedBytes } = await writeBackup(survivor, (sink) => storeAgain(sink, tasks[0]!));
    if (tasks === small) assert(addedBytes < 10_000, `${addedBytes} bytes were stored again`);
    assert.deepEqual(await Array.fromAsync(store.list('locks/')), [], 'the dead process’s lock is gone too');
    await restic(['check', '--read-data']);
    if (tasks === small) return;
    await using backup = await readBackup(await reopen(store), id);
    const [node] = await backup.tree(backup.rootTree);
    assert.equal(sha256(await readContent(backup, node!.content!)), sha256(randomBytes('0', 24 * mib)));
  });
}

async function storeAgain(sink: BackupSink, task: Task): Promise<Node[]> {
  await using threads = await sink.threads<Setup, Task, Result>(moduleUrl, {});
  const content = (await threads.run(task)) as Content;
  return task.kind === 'random' ? [fileNode('0', content)] : []; // the list of 100,000 ids would itself be large
}

test('requests that a backup, an unchanged one, and a list cost', async (t) => {
  const { store } = await newPlace(t);
  const recording = new RecordingStore(store);
  const cost = async (work: (repository: Repository) => Promise<unknown>): Promise<Record<string, number>> => {
    const repository = await reopen(recording);
    recording.calls.length = 0;
    await work(repository);
    const counts: Record<string, number> = {};
    for (const { method, name } of recording.calls) {
      const key = `${method} ${name.split('/')[0]}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  };
  const lock = { 'list locks': 4, 'put locks': 1, 'get locks': 0, 'delete locks': 1 }; // before and after ours, settled, before the snapshot
  const withoutLock = ({ ...counts }: Record<string, number>) => {
    for (const [key, most] of Object.entries(lock)) {
      assert((counts[key] ?? 0) <= most, `${key}: ${counts[key]}`);
      delete counts[key];
    }
    return counts;
  };
  /** Whether all is there still that was stored: folders, of which two packs may share one. */
  const ownFolders = () => {
    const packs = recording.calls.filter(({ method, name }) => method === 'put' && name.startsWith('data/'));
    return new Set(packs.map(({ name }) => dirname(name))).size;
  };
  const empty = await cost((repository) => writeBackup(repository, async () => []));
  assert.deepEqual(withoutLock(empty), {
    'list marks': 1,
    'list index': 1,
    'list data': 1,
    'put data': 1,
    'put index': 1,
    'put snapshots': 1,
  });
  const files = Array.from({ length: 500 }, (_, at) => randomBytes(`${at}`, 5000));
  const backup = (repository: Repository) =>
    writeBackup(repository, async (sink) => {
      const folders = [];
      for (const [at, bytes] of files.entries()) {
        folders.push(folderNode(`${at}`, await sink.tree([fileNode('file', await sink.content(bytes))])));
      }
      return folders;
    });
  const first = await cost(backup);
  assert.deepEqual(withoutLock(first), {
    'list marks': 1,
    'list index': 1,
    'get index': 1,
    'list data': 1 + ownFolders(), // are the packs that the index names still there?
    'put data': 2,
    'put index': 1,
    'put snapshots': 1,
  });
  const unchanged = await cost(backup);
  assert.deepEqual(withoutLock(unchanged), {
    'list marks': 1,
    'list index': 1,
    'get index': 2,
    'list data': 1,
    'put snapshots': 1,
  });
  const list = await cost((repository) => Array.fromAsync(repository.snapshots()));
  assert.deepEqual(list, { 'list snapshots': 1, 'get snapshots': 3 });
});

test('trees are read with few requests, in whatever order', async (t) => {
  const { store, repository } = await newPlace(t);
  const count = 400;
  const { id } = await writeBackup(repository, async (sink) => {
    const content = (seed: string) => ({ blobs: randomBytes(seed, 32 * 200), sizeBytes: 1 }); // ids that nobody reads
    const folders = Array.from({ length: count }, async (_, at) =>
      folderNode(`${at}`, await sink.tree([fileNode('file', content(`${at}`))])),
    );
    return Promise.all(folders);
  });
  for (const order of [
    (nodes: Node[]) => nodes,
    (nodes: Node[]) => nodes.reverse(),
    (nodes: Node[]) => nodes.sort((a, b) => (a.subtree! < b.subtree! ? -1 : 1)),
  ]) {
    const recording = new RecordingStore(store);
    await using backup = await readBackup(await reopen(recording), id);
    for (const node of order([...(await backup.tree(backup.rootTree))])) await backup.tree(node.subtree!);
    // About 2.7 MB of trees in windows of 1 MiB.
    assert(recording.count('get', /^data/) <= 4, `${recording.count('get', /^data/)} requests`);
  }
});
