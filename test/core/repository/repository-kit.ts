import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../core/clock.ts';
import type { BackupSink, Content, Node, Store } from '../../../core/driver/index.ts';
import { type ErrorCode, hasCode } from '../../../core/error.ts';
import { encodeName } from '../../../core/path-bytes.ts';
import { type BackupReading, Repository, type RepositoryOptions } from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { local } from '../../../drivers/files/index.ts';
import { type Restic, restic } from '../../kit/restic.ts';
import { tempFolder } from '../../kit/temp.ts';
import { noProgress, noSignal, openOptions, password } from './light-kit.ts';

export * from './light-kit.ts';

/** A repository of ours in a folder of its own, and stock restic on it. */
export interface Place {
  readonly folder: string;
  readonly store: Store;
  readonly repository: Repository;
  readonly restic: Restic;
}

export async function newPlace(t: TestContext, more: Partial<RepositoryOptions> = {}): Promise<Place> {
  const folder = join(await tempFolder(t), 'repository');
  const store = await localStore(folder);
  const repository = await Repository.init(openOptions(store, more));
  return { folder, store, repository, restic: await restic(t, folder, password) };
}

export function localStore(folder: string): Promise<Store> {
  return local.open(
    { path: folder },
    { subject: 'destinations.test', secret: async () => new Secret(''), clock: systemClock },
  );
}

export function reopen(store: Store): Promise<Repository> {
  return Repository.open(openOptions(store));
}

export interface WriteOptions {
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** A whole backup under a lock: `fill` stores what it likes and gives the root's nodes. Gives the snapshot's id. */
export async function writeBackup(
  repository: Repository,
  fill: (sink: BackupSink) => Promise<readonly Node[]>,
  options: WriteOptions = {},
): Promise<{ id: string; addedBytes: number }> {
  const signal = options.signal ?? noSignal;
  await using lock = await repository.lock('shared', signal, 'write');
  await using writing = await repository.write(lock, { threads: options.threads ?? 2, progress: noProgress, signal });
  const root = await fill(writing);
  const tree = await writing.tree(root);
  const snapshot = {
    time: new Date().toISOString(),
    tree,
    paths: ['/test'],
    hostname: 'test-host',
    username: 'tester',
    tags: ['tidemark'],
    programVersion: 'tidemark test',
  };
  return { id: await writing.commit(snapshot, lock.signal), addedBytes: writing.addedBytes };
}

export async function readBackup(repository: Repository, id: string): Promise<BackupReading> {
  return repository.read(await repository.snapshot(id), { threads: 2, progress: noProgress, signal: noSignal });
}

/** Contents of parts in order, as one. */
export function joinContents(parts: readonly Content[]): Content {
  return {
    blobs: new Uint8Array(Buffer.concat(parts.map((part) => part.blobs))),
    sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
  };
}

/** Everything below a tree: path bytes as latin1 (so that any name is a key) to node. */
export async function walk(backup: BackupReading, tree: string, prefix = ''): Promise<Map<string, Node>> {
  const found = new Map<string, Node>();
  for (const node of await backup.tree(tree)) {
    const path = `${prefix}/${encodeName(node.name).toString('latin1')}`;
    found.set(path, node);
    if (node.subtree === undefined) continue;
    for (const [below, inner] of await walk(backup, node.subtree, path)) found.set(below, inner);
  }
  return found;
}

export async function readContent(backup: BackupReading, content: Content): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of backup.read(content)) parts.push(part);
  return Buffer.concat(parts);
}

/** For `assert.rejects`: a TidemarkError of this code whose message fits. */
export function coded(code: ErrorCode, message = /(?:)/) {
  return (error: unknown): true => {
    assert(hasCode(error, code), `${code} was expected, not ${String(error)}`);
    assert.match(error.message, message);
    return true;
  };
}

/** Rejects when `work` takes longer: a hang shall fail, not wait for the runner. */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error(`${what} took over ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([work, timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
