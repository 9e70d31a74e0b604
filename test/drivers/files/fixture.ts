import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../core/clock.ts';
import type {
  BackupFacts,
  BackupRequest,
  Manifest,
  Node,
  RestoreRequest,
  RestoreResult,
  Store,
} from '../../../core/driver/index.ts';
import {
  type BackupReading,
  type BackupWriting,
  Repository,
  type RepositoryOptions,
} from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { files, local } from '../../../drivers/files/index.ts';
import { quick } from '../../kit/quick.ts';
import { RecordingStore } from '../../kit/recording-store.ts';
import { type Restic, restic } from '../../kit/restic.ts';
import { tempFolder } from '../../kit/temp.ts';

const quiet = { add() {}, expect() {}, step() {} };
const manifestNode = { mode: 0o600, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0 };

const emptyManifest: Manifest = {
  format: 1,
  tidemark: 'test',
  id: '01K00000000000000000000000',
  plan: 'test',
  source: 'test',
  driver: 'files',
  type: 'snapshot',
  selection: { include: [], exclude: [] },
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
  flavour: 'test',
  version: 'test',
  identity: 'test',
  consistentPoint: { time: '2026-01-01T00:00:00.000Z' },
  totals: { items: 0, bytes: 0 },
  contents: [],
  warnings: [],
  partial: false,
};

export interface Fixture {
  readonly folder: string;
  /** The tree to back up. */
  readonly tree: string;
  readonly store: RecordingStore;
  readonly restic: Restic;
  backUp(settings?: Record<string, unknown>, request?: Partial<BackupRequest>): Promise<BackupFacts>;
  /** All that the last backup has below `tree`, by path. */
  nodes(): Promise<Map<string, Node>>;
  /** `from`: another way to the same store. */
  restore(request?: Partial<RestoreRequest>, from?: Store): Promise<RestoreResult>;
  /** Stores a tree that no file system could hold. */
  storeTree(build: (writing: BackupWriting) => Promise<Node[]>): Promise<void>;
}

/** A folder to back up, a repository, and both ways between them as core goes them. */
export async function filesFixture(t: TestContext): Promise<Fixture> {
  const folder = await tempFolder(t);
  const [tree, path] = [join(folder, 'tree'), join(folder, 'repository')];
  await mkdir(tree);
  const signal = new AbortController().signal;
  const context = { subject: 'sources.test', clock: systemClock, secret: async () => new Secret('unused') };
  const store = new RecordingStore(await local.open({ path }, context));
  const work = { threads: 2, progress: quiet, signal };
  const options = repositoryOptions(store);
  await Repository.init(options);
  let latest: { id: string; tree: string } | undefined;

  const commit = async (writing: BackupWriting, root: readonly Node[], facts: Partial<Manifest>) => {
    const manifest = { ...emptyManifest, ...facts };
    const content = await writing.content(Buffer.from(JSON.stringify(manifest)));
    const inside = await writing.tree([{ ...manifestNode, name: 'manifest.json', type: 'file', content }]);
    const node: Node = { ...manifestNode, mode: 0o700, name: '.tidemark', type: 'dir', subtree: inside };
    const rootTree = await writing.tree([...root, node]);
    const { time } = manifest.consistentPoint;
    const rest = { paths: ['/'], hostname: 'test', username: 'test', tags: [], programVersion: 'tidemark test' };
    latest = { tree: rootTree, id: await writing.commit({ time, tree: rootTree, ...rest }, signal) };
  };
  const read = async (how: 'read' | 'salvage', from: Store): Promise<BackupReading> => {
    const repository = await Repository.open({ ...options, store: from });
    return repository[how](await repository.snapshot(latest!.id), work);
  };

  return {
    folder,
    tree,
    store,
    restic: await restic(t, path, 'open sesame'),
    async backUp(settings = {}, request = {}) {
      const startedAt = new Date().toISOString();
      await using session = await files.open({ paths: [tree], ...settings }, context);
      const repository = await Repository.open(options);
      await using lock = await repository.lock('shared', signal);
      await using writing = await repository.write(lock, work);
      const parent = latest && (await read('read', store));
      const whole: BackupRequest = { type: 'snapshot', include: [], exclude: [], ...work, parent, ...request };
      const { root, facts } = await session.backup(whole, writing);
      await commit(writing, root, { startedAt, ...facts });
      return facts;
    },
    async nodes() {
      await using backup = await read('read', store);
      const found = new Map<string, Node>();
      const walk = async (id: string, path: string): Promise<void> => {
        for (const node of await backup.tree(id)) {
          const below = `${path}/${node.name}`;
          if (below.startsWith(tree)) found.set(below, node);
          if (node.subtree && (below.startsWith(tree) || tree.startsWith(`${below}/`))) await walk(node.subtree, below);
        }
      };
      await walk(backup.rootTree, '');
      return found;
    },
    async restore(request = {}, from = store) {
      await using session = await files.open({ paths: [tree] }, context);
      await using reading = await read('salvage', from);
      const whole: RestoreRequest = {
        only: [],
        overwrite: false,
        verify: true,
        keepDamaged: false,
        ...work,
        ...request,
      };
      const result = await session.restore(whole, reading);
      return { ...result, warnings: [...result.warnings, ...reading.warnings] };
    },
    async storeTree(build) {
      const repository = await Repository.open(options);
      await using lock = await repository.lock('shared', signal);
      await using writing = await repository.write(lock, work);
      await commit(writing, await build(writing), { contents: [] });
    },
  };
}

function repositoryOptions(store: Store): RepositoryOptions {
  return {
    store,
    password: new Secret('open sesame'),
    by: { host: hostname(), user: 'test', pid: process.pid },
    clock: systemClock,
    processAlive: () => true,
    ...quick,
  };
}
