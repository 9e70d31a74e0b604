import assert from 'node:assert/strict';
import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import {
  type BackupReader,
  type BackupResult,
  type Content,
  type Manifest,
  manifestFolder,
  type Node,
  type RestoreResult,
  type SourceSession,
  type Store,
} from '../../../core/driver/index.ts';
import { manifestFile, Repository, type RepositoryOptions } from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { local } from '../../../drivers/files/index.ts';
import { mysql } from '../../../drivers/mysql/index.ts';
import { quick } from '../../kit/quick.ts';
import { atEnd, type Owner } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import type { MariadbServer } from '../../servers/mariadb.ts';

const noSignal = new AbortController().signal;
const progress = { add() {}, expect() {}, step() {} };

export function driverContext(subject = 'sources.shop') {
  return { subject, secret: async (reference: string) => new Secret(reference), clock: systemClock };
}

export type ServerLogin = Pick<MariadbServer, 'socket' | 'user' | 'password'>;

/** A session with a test server as the user `tidemark`. */
export function openServer(server: ServerLogin, settings: Record<string, unknown> = {}): Promise<SourceSession> {
  const { socket, user, password } = server;
  return mysql.open({ socket, user, password, parallel: 2, ...settings }, driverContext());
}

export interface BackupOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly signal?: AbortSignal;
  readonly step?: (text: string) => void;
  readonly settings?: Record<string, unknown>;
  /** More entries for the manifest's `contents`, as a newer version may write them. */
  readonly also?: Manifest['contents'];
}

export interface RestoreOptions {
  readonly only?: string[];
  readonly overwrite?: boolean;
  readonly verify?: boolean;
  readonly keepDamaged?: boolean;
  readonly signal?: AbortSignal;
  readonly step?: (text: string) => void;
  readonly settings?: Record<string, unknown>;
}

/** A repository in a temporary folder, with backups of test servers going in and out through the driver. */
export class TestRepository {
  readonly #options: RepositoryOptions;
  readonly #folder: string;

  private constructor(options: RepositoryOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  static async make(t: Owner): Promise<TestRepository> {
    const folder = join(await tempFolder(t), 'repository');
    const store = await local.open({ path: folder }, driverContext('destinations.test'));
    atEnd(t, async () => store[Symbol.asyncDispose]());
    const by = { host: 'test', user: 'test', hostname: 'test', username: 'test', uid: 0, gid: 0, pid: process.pid };
    const options = {
      store,
      password: new Secret('test'),
      by,
      clock: systemClock,
      processAlive: () => true,
      ...quick,
    };
    await Repository.init(options);
    return new TestRepository(options, folder);
  }

  /** Gives the snapshot's id, what the driver said, and how many bytes were new. */
  async backup(server: ServerLogin, options: BackupOptions = {}) {
    const signal = options.signal ?? new AbortController().signal;
    const { include = [], exclude = [], step = () => {} } = options;
    const repository = await Repository.open(this.#options);
    await using lock = await repository.lock('shared', signal);
    await using writing = await repository.write(lock, { threads: 2, progress, signal });
    await using session = await openServer(server, options.settings);
    const request = { type: 'logical', include, exclude, progress: { ...progress, step }, signal } as const;
    const result = await session.backup(request, writing);
    const tree = await writing.tree([...result.root, await manifestNode(writing, result, options.also)]);
    const about = { time: result.facts.consistentPoint.time, paths: result.paths, hostname: 'test', username: 'test' };
    const id = await writing.commit({ ...about, tree, tags: ['tidemark'], programVersion: 'test' }, signal);
    return { id, result, addedBytes: writing.addedBytes };
  }

  async restore(id: string, server: ServerLogin, options: RestoreOptions = {}): Promise<RestoreResult> {
    const { signal = new AbortController().signal, step = () => {} } = options;
    await using reading = await this.#open(id, signal);
    await using session = await openServer(server, options.settings);
    const { only = [], overwrite = false, verify = true, keepDamaged = false } = options;
    const request = { only, overwrite, verify, keepDamaged, progress: { ...progress, step }, signal };
    return await session.restore(request, reading);
  }

  /** Flips a byte of a blob of this file, in its pack on the disk. */
  async damageFile(id: string, path: string, blob = 0): Promise<void> {
    const { repository, reads } = await this.#recording();
    await using reading = await repository.read(await repository.snapshot(id), {
      threads: 1,
      progress,
      signal: noSignal,
    });
    const { content } = await nodeAt(reading, path);
    const blobs = content!.blobs.subarray(blob * 32, (blob + 1) * 32);
    for await (const _ of reading.read({ blobs, sizeBytes: 0 }));
    const { name, offset } = reads.at(-1)!;
    await flipByte(join(this.#folder, name), offset + 20);
  }

  /** Flips a byte of the list of what is in this folder: the first in the pack that has such an effect, and no other. */
  async damageFolder(id: string, path: string): Promise<void> {
    const { repository, reads } = await this.#recording();
    const snapshot = await repository.snapshot(id);
    const isDamaged = async () => {
      await using reading = await repository.read(snapshot, { threads: 1, progress, signal: noSignal });
      const { subtree } = await nodeAt(reading, path);
      return reading.tree(subtree!).then(
        () => false,
        () => true,
      );
    };
    assert.equal(await isDamaged(), false);
    const pack = join(this.#folder, reads.find(({ name }) => name.startsWith('data/'))!.name); // the root's is read first
    const { size } = await stat(pack);
    for (let at = 20; at < size; at += 40) {
      await flipByte(pack, at);
      if (await isDamaged().catch(() => false)) return;
      await flipByte(pack, at);
    }
    throw new Error(`no byte of ${pack} damages ${path} alone`);
  }

  /** The repository, and what was asked of its store. */
  async #recording(): Promise<{ repository: Repository; reads: { name: string; offset: number }[] }> {
    const reads: { name: string; offset: number }[] = [];
    const { store } = this.#options;
    const get: Store['get'] = (name, range, signal) => {
      reads.push({ name, offset: range?.offset ?? 0 });
      return store.get(name, range, signal);
    };
    const recording = new Proxy(store, { get: (target, key) => (key === 'get' ? get : bound(target, key)) });
    return { repository: await Repository.open({ ...this.#options, store: recording }), reads };
  }

  /** Writes the files of a backup into a folder. */
  async download(id: string, folder: string): Promise<void> {
    await using reading = await this.#open(id);
    const write = async (tree: string, into: string): Promise<void> => {
      await mkdir(into, { recursive: true });
      for (const node of await reading.tree(tree)) {
        const path = join(into, node.name);
        if (node.subtree !== undefined) await write(node.subtree, path);
        else await writeFile(path, reading.read(node.content!));
      }
    };
    await write(reading.rootTree, folder);
  }

  async #open(id: string, signal = noSignal) {
    const repository = await Repository.open(this.#options);
    const snapshot = await repository.snapshot(id);
    return repository.read(snapshot, { threads: 2, progress, signal });
  }
}

async function nodeAt(reading: BackupReader, path: string): Promise<Node> {
  let tree = reading.rootTree;
  let found: Node | undefined;
  for (const name of path.split('/')) {
    found = (await reading.tree(tree)).find((node) => node.name === name);
    if (found === undefined) throw new Error(`the backup has no ${path}`);
    tree = found.subtree ?? '';
  }
  return found!;
}

function bound(target: object, key: string | symbol): unknown {
  const value = Reflect.get(target, key, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

async function flipByte(path: string, at: number): Promise<void> {
  await using file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, at);
}

async function manifestNode(
  writing: { content(bytes: Uint8Array): Promise<Content>; tree(nodes: readonly Node[]): Promise<string> },
  { facts }: BackupResult,
  also: Manifest['contents'] = [],
): Promise<Node> {
  const own = {
    format: 1,
    tidemark: 'test',
    id: '01K00000000000000000000000',
    plan: 'test',
    source: 'shop',
    driver: 'mysql',
    type: 'logical',
  };
  const manifest = {
    ...own,
    selection: { include: [], exclude: [] },
    startedAt: facts.consistentPoint.time,
    endedAt: facts.consistentPoint.time,
    ...facts,
    contents: [...facts.contents, ...also],
  } as Manifest;
  const common = { mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0 };
  const content = await writing.content(Buffer.from(JSON.stringify(manifest)));
  const file: Node = { ...common, name: manifestFile, type: 'file', mode: 0o600, content };
  return { ...common, name: manifestFolder, type: 'dir', mode: 0o700, subtree: await writing.tree([file]) };
}
