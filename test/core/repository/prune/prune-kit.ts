import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BackupSink, Node, Store } from '../../../../core/driver/index.ts';
import type {
  BackupWriting,
  PruneOptions,
  PruneResult,
  PruneSummary,
  Repository,
  RepositoryLock,
} from '../../../../core/repository/index.ts';
import { tempFolder } from '../../../kit/temp.ts';
import {
  fileNode,
  folderNode,
  noProgress,
  noSignal,
  type Place,
  randomBytes,
  reopen,
  sha256,
  writeBackup,
} from '../repository-kit.ts';

export const work = { threads: 1, progress: noProgress, signal: noSignal };
export const thorough: PruneOptions = { maxUnused: { bytes: 0 }, graceMs: 0, now: false };

/** Names of files and what makes their bytes. */
export type Files = Readonly<Record<string, string>>;

export const bytesOf = (seed: string) => randomBytes(seed, 20_000 + (seed.length % 7) * 3000);

/** A backup of these files, each in a folder of its own. */
export async function backUp(repository: Repository, files: Files): Promise<string> {
  const { id } = await writeBackup(repository, (sink) => foldersOf(sink, files));
  return id;
}

export async function forget(store: Store, ...ids: string[]): Promise<void> {
  const repository = await reopen(store);
  await using lock = await repository.lock('shared', noSignal, 'prune');
  await repository.forget(lock, ids, noSignal);
}

export async function plan(store: Store, options: PruneOptions = thorough): Promise<PruneSummary> {
  const repository = await reopen(store);
  await using lock = await repository.lock('shared', noSignal, 'prune');
  return (await repository.planPrune(lock, options, work)).summary;
}

export async function prune(store: Store, options: PruneOptions = thorough, opened?: Repository): Promise<PruneResult> {
  const repository = opened ?? (await reopen(store));
  await using lock = await repository.lock(options.now ? 'exclusive' : 'shared', noSignal, 'prune');
  return await repository.prune(await repository.planPrune(lock, options, work), work);
}

/** Marks, and then removes what is marked. */
export async function pruneTwice(store: Store): Promise<PruneResult> {
  await prune(store);
  return prune(store);
}

export async function names(store: Store, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix), ({ name }) => name)).sort();
}

export async function storedBytes(store: Store, prefix = 'data/'): Promise<number> {
  const sizes = await Array.fromAsync(store.list(prefix), ({ sizeBytes }) => sizeBytes);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Stock restic finds the repository whole, and restores each snapshot byte for byte. */
export async function assertWhole(
  t: TestContext,
  { restic }: Pick<Place, 'restic'>,
  snapshots: Readonly<Record<string, Files>>,
): Promise<void> {
  const { stdout, stderr } = await restic(['check', '--read-data', '--no-lock']);
  assert.match(stdout, /no errors were found/, stderr);
  for (const [id, files] of Object.entries(snapshots)) {
    const target = join(await tempFolder(t), 'out');
    await restic(['restore', id, '--target', target, '--no-lock']);
    const folders = await readdir(target);
    assert.deepEqual(folders.sort(), Object.keys(files).sort());
    for (const [name, seed] of Object.entries(files)) {
      assert.equal(sha256(await readFile(join(target, name, 'file'))), sha256(bytesOf(seed)), `${id} ${name}`);
    }
  }
}

/** What a backup writes that began under a lock of its own and goes on. */
export interface OpenBackup {
  readonly lock: RepositoryLock;
  readonly writing: BackupWriting;
  /** Stores these files and ends. Gives the snapshot. */
  commit(files: Files): Promise<string>;
}

export async function beginBackup(store: Store): Promise<OpenBackup> {
  const repository = await reopen(store);
  const lock = await repository.lock('shared', noSignal, 'write');
  const writing = await repository.write(lock, work);
  return {
    lock,
    writing,
    commit: async (files) => {
      await using _ = lock;
      const tree = await writing.tree(await foldersOf(writing, files));
      const time = new Date().toISOString();
      const by = { hostname: 'test-host', username: 'tester', tags: ['tidemark'], programVersion: 'tidemark test' };
      return await writing.commit({ time, tree, paths: ['/test'], ...by }, lock.signal);
    },
  };
}

async function foldersOf(sink: BackupSink, files: Files): Promise<Node[]> {
  const nodes: Node[] = [];
  for (const [name, seed] of Object.entries(files)) {
    const file = fileNode('file', await sink.content(bytesOf(seed)));
    nodes.push(folderNode(name, await sink.tree([file])));
  }
  return nodes;
}
