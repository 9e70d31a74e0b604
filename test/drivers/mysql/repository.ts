import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import type {
  BackupResult,
  Content,
  Manifest,
  Node,
  RestoreResult,
  SourceSession,
} from '../../../core/driver/index.ts';
import { manifestFile, manifestFolder, Repository, type RepositoryOptions } from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { local } from '../../../drivers/files/index.ts';
import { mysql } from '../../../drivers/mysql/index.ts';
import { atEnd, type Owner } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import type { MariadbServer } from '../../servers/mariadb.ts';

const progress = { add() {}, expect() {}, step() {} };

export function driverContext(subject = 'sources.shop', signal = new AbortController().signal) {
  return { subject, secret: async (reference: string) => new Secret(reference), clock: systemClock, signal };
}

/** A session with a test server as the user `tidemark`. */
export function openServer(server: MariadbServer, settings: Record<string, unknown> = {}): Promise<SourceSession> {
  const { socket, user, password } = server;
  return mysql.open({ socket, user, password, parallel: 2, ...settings }, driverContext());
}

export interface BackupOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly signal?: AbortSignal;
  readonly step?: (text: string) => void;
  readonly settings?: Record<string, unknown>;
}

/** A repository in a temporary folder, with backups of test servers going in and out through the driver. */
export class TestRepository {
  readonly #options: RepositoryOptions;

  private constructor(options: RepositoryOptions) {
    this.#options = options;
  }

  static async make(t: Owner): Promise<TestRepository> {
    const store = await local.open(
      { path: join(await tempFolder(t), 'repository') },
      driverContext('destinations.test'),
    );
    atEnd(t, async () => store[Symbol.asyncDispose]());
    const by = { host: 'test', user: 'test', hostname: 'test', username: 'test', uid: 0, gid: 0, pid: process.pid };
    const options = { store, password: new Secret('test'), by, clock: systemClock, processAlive: () => true };
    await Repository.init(options);
    return new TestRepository(options);
  }

  /** Gives the snapshot's id, what the driver said, and how many bytes were new. */
  async backup(server: MariadbServer, options: BackupOptions = {}) {
    const signal = options.signal ?? new AbortController().signal;
    const { include = [], exclude = [], step = () => {} } = options;
    const repository = await Repository.open(this.#options);
    await using writing = await repository.write({ threads: 2, progress, signal });
    await using session = await openServer(server, options.settings);
    const request = { type: 'logical', include, exclude, progress: { ...progress, step }, signal } as const;
    const result = await session.backup(request, writing);
    const tree = await writing.tree([...result.root, await manifestNode(writing, result)]);
    const about = { time: result.facts.consistentPoint.time, paths: result.paths, hostname: 'test', username: 'test' };
    const id = await writing.commit({ ...about, tree, tags: ['tidemark'], programVersion: 'test' }, signal);
    return { id, result, addedBytes: writing.addedBytes };
  }

  async restore(
    id: string,
    server: MariadbServer,
    options: { only?: string[]; overwrite?: boolean; verify?: boolean; settings?: Record<string, unknown> } = {},
  ): Promise<RestoreResult> {
    const signal = new AbortController().signal;
    await using reading = await this.#open(id);
    await using session = await openServer(server, options.settings);
    const { only = [], overwrite = false, verify = true } = options;
    return await session.restore({ only, overwrite, verify, keepDamaged: false, progress, signal }, reading);
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

  async #open(id: string) {
    const repository = await Repository.open(this.#options);
    const snapshot = await repository.snapshot(id);
    return repository.read(snapshot, { threads: 2, progress, signal: new AbortController().signal });
  }
}

async function manifestNode(
  writing: { content(bytes: Uint8Array): Promise<Content>; tree(nodes: readonly Node[]): Promise<string> },
  { facts }: BackupResult,
): Promise<Node> {
  const own = {
    format: 1,
    tidemark: 'test',
    id: 'test',
    plan: 'test',
    source: 'shop',
    driver: 'mysql',
    type: 'logical',
  };
  const manifest = {
    ...own,
    selection: { include: [], exclude: [] },
    startedAt: '',
    endedAt: '',
    ...facts,
  } as Manifest;
  const common = { mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0 };
  const content = await writing.content(Buffer.from(JSON.stringify(manifest)));
  const file: Node = { ...common, name: manifestFile, type: 'file', mode: 0o600, content };
  return { ...common, name: manifestFolder, type: 'dir', mode: 0o700, subtree: await writing.tree([file]) };
}
