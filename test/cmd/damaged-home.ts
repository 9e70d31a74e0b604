import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { fromHex, toHex } from '../../core/repository/format/blob-id.ts';
import { Repository } from '../../core/repository/index.ts';
import { filesIn } from '../core/repository/check/check-kit.ts';
import { localStore, noSignal, openOptions, randomBytes } from '../core/repository/repository-kit.ts';
import { partsOf } from '../core/repository/walk/parts-of.ts';
import { type Home, home, yamlFor } from './kit.ts';

export const kinds = [
  'config',
  'key',
  'other key',
  'data pack',
  'tree pack',
  'index',
  'snapshot',
  'lock',
  'mark',
  'pin',
] as const;
export type ObjectKind = (typeof kinds)[number];

/** A home with two backups, a pin, a second key, marks of a third backup that is gone, and the lock of a process that is dead. */
export interface DamagedHome extends Home {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** The snapshot of each backup. */
  readonly snapshots: Readonly<Record<string, string>>;
  /** By backup: the files that it has, by name. */
  readonly contents: Record<string, ReadonlyMap<string, Buffer>>;
  /** One file of each kind, and which one it is swapped with; below the repository. */
  readonly objects: Readonly<Record<ObjectKind, { readonly path: string; readonly other: string }>>;
  readonly restic: readonly string[];
  /** All is whole again. */
  fresh(): Promise<void>;
  freshCatalog(): Promise<void>;
}

export async function damagedHome(t: TestContext): Promise<DamagedHome> {
  const at = await home(t, { surroundings: { process: oneThread } });
  const ok = async (...args: string[]) => {
    const told = await at.inside(...args);
    assert.equal(told.code, 0, `${args.join(' ')}: ${told.stdout}${told.stderr}`);
    return told.stdout;
  };
  await at.write(
    `${yamlFor(at.folder, 'manual: true, retention: few').replace('daemon: {', 'daemon: { prune: { manual: true, grace: 0s, maxUnused: "0%" },')}retention: { few: { last: 1 } }\n`,
  );
  await ok('apply', '--auto-approve');
  const [first] = await filesIn(at.repository, 'keys');
  const contents: Record<string, ReadonlyMap<string, Buffer>> = {};
  const made: string[] = [];
  for (const name of ['one', 'two', 'three']) {
    await writeFile(join(at.data, `${name}.bin`), randomBytes(name, 30_000));
    made.push(JSON.parse(await ok('backup', 'docs-daily', '--json')).backup);
    contents[made.at(-1)!] = await bytesOf(at.data);
    if (name === 'two') await rm(join(at.data, 'two.bin'));
  }
  await ok('pin', made[0]!);
  await ok('delete', made[1]!, '--auto-approve');
  await ok('prune', '--auto-approve');
  await writeFile(join(at.folder, 'other'), 'battery staple\n', { mode: 0o600 });
  await ok('key', 'add', 'disk', '--password', `\${file:${join(at.folder, 'other')}}`);
  await leaveLock(t, at);
  const ids = [made[0]!, made[2]!];
  const snapshots = await snapshotsOf(at, ids);
  const objects = await pick(
    at,
    first!,
    ids.map((id) => snapshots[id]!),
  );
  await dropEmptyFolders(at.repository);
  const [whole, catalog] = [`${at.folder}/whole`, join(at.folder, 'catalog.db')];
  await cp(at.repository, whole, { recursive: true });
  await cp(catalog, `${whole}.db`);
  const freshCatalog = async () => {
    for (const end of ['', '-wal', '-shm']) await rm(`${catalog}${end}`, { force: true });
    await cp(`${whole}.db`, catalog);
  };
  return {
    ...at,
    ids,
    snapshots,
    contents,
    objects,
    restic: ['--repo', at.repository, '--password-file', join(at.folder, 'password'), '--no-cache', '--no-lock'],
    freshCatalog,
    fresh: async () => {
      await rm(at.repository, { recursive: true });
      await cp(whole, at.repository, { recursive: true });
      await freshCatalog();
    },
  };
}

const oneThread = {
  host: 'testhost',
  user: 'tester',
  pid: process.pid,
  alive: (pid: number) => pid === process.pid,
  threads: 1,
};

async function leaveLock(t: TestContext, at: Home): Promise<void> {
  const by = { host: 'testhost', user: 'tester', pid: process.pid + 1 };
  const repository = await Repository.open(openOptions(await localStore(at.repository), { by }));
  const lock = await repository.lock('shared', noSignal);
  t.after(() => lock[Symbol.asyncDispose]().catch(() => {})); // its folder is another one by then
}

async function snapshotsOf(at: Home, ids: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await at.inside('backups', '--json');
  const listed = JSON.parse(stdout).backups as { id: string; snapshot: string }[];
  return Object.fromEntries(ids.map((id) => [id, listed.find((one) => one.id === id)!.snapshot]));
}

/** Packs that the newest backup needs, one of data alone and one of its trees; swapped with packs of the same kind. */
async function pick(at: Home, key: string, snapshots: readonly string[]): Promise<DamagedHome['objects']> {
  const below = async (kind: string) =>
    (await filesIn(at.repository, kind)).map((path) => relative(at.repository, path)).sort();
  const repository = await Repository.open(openOptions(await localStore(at.repository)));
  const { index } = await partsOf(await localStore(at.repository));
  const roots = await Promise.all(snapshots.map(async (id) => (await repository.snapshot(id)).tree));
  const packOf = (root: string) => toHex(index.find('tree', fromHex(root))!.pack);
  const trees = roots.map(packOf);
  const packs = await below('data');
  const named = (id: string) => packs.find((path) => path.endsWith(id))!;
  const data = await bySize(
    at,
    packs.filter((path) => !trees.includes(path.slice(-64))),
  );
  const [keys, indexes, marks, pins, locks] = await Promise.all(['keys', 'index', 'marks', 'pins', 'locks'].map(below));
  const own = relative(at.repository, key);
  const otherKey = keys!.find((path) => path !== own)!;
  const snapshot = `snapshots/${snapshots[0]}`;
  return {
    config: { path: 'config', other: own },
    key: { path: own, other: otherKey },
    'other key': { path: otherKey, other: snapshot },
    'data pack': { path: data[0]!, other: data[1]! },
    'tree pack': { path: named(trees[1]!), other: named(trees[0]!) },
    index: { path: indexes![0]!, other: indexes![1]! },
    snapshot: { path: `snapshots/${snapshots[1]}`, other: snapshot },
    lock: { path: locks![0]!, other: snapshot },
    mark: { path: marks![0]!, other: marks![1]! },
    pin: { path: pins![0]!, other: snapshot },
  };
}

/** The largest first. */
async function bySize(at: Home, paths: readonly string[]): Promise<string[]> {
  const sized = await Promise.all(
    paths.map(async (path) => ({ path, size: (await readFile(join(at.repository, path))).length })),
  );
  return sized.sort((a, b) => b.size - a.size).map(({ path }) => path);
}

/** Every file below a folder, by its name from there on. */
export async function bytesOf(folder: string): Promise<Map<string, Buffer>> {
  const found = await filesIn(folder, '').catch(() => []);
  return new Map(await Promise.all(found.map(async (path) => [relative(folder, path), await readFile(path)] as const)));
}

/** 256 of them for packs: what is copied so often is to be small. */
async function dropEmptyFolders(repository: string): Promise<void> {
  const data = join(repository, 'data');
  for (const name of await readdir(data)) await rmdir(join(data, name)).catch(() => {});
}
