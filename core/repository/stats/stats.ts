import type { TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { type CatalogView, stillKnown } from '../check/catalog-view.ts';
import { listSnapshots } from '../check/snapshot-list.ts';
import { loadIndex } from '../index-files.ts';
import { type KeyInfo, listKeys } from '../keys.ts';
import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { readMarks } from '../prune/marks.ts';
import { StoredPacks } from '../prune/pack-use.ts';
import { damagedFolder } from '../set-aside.ts';
import type { LockFacts } from '../unlock.ts';
import { goneOf } from './gone.ts';
import { type Group, type GroupUse, groupsOf, groupUses, walkGroup, withoutGone } from './groups.ts';
import { TreeSizes } from './tree-sizes.ts';
import { type Waste, wasteOf } from './waste.ts';

/** Blobs, each once: as they lie in packs, and what is sealed in them. */
export interface BlobTotal {
  readonly blobs: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** What fills a repository. Bytes are those of pack files and blobs in them, unless it says otherwise. */
export interface RepositoryStats {
  /** `incomplete`: something that is there, or should be, is not counted; `unseen` says what. */
  readonly verdict: 'whole' | 'incomplete';
  /** For people; the first ones of `unseenCount`. */
  readonly unseen: readonly string[];
  readonly unseenCount: number;
  readonly backups: number;
  /** Snapshots among them that other programs wrote. */
  readonly foreignBackups: number;
  readonly plans: readonly GroupUse[];
  readonly types: readonly GroupUse[];
  /** Of what backups need: contents of files, and folders. */
  readonly contents: BlobTotal;
  readonly folders: BlobTotal;
  /** Of the files in all backups. These three are left out where something is not counted. */
  readonly logicalBytes?: number;
  /** Plain bytes of what is needed by its stored bytes. Left out where there is nothing, too. */
  readonly compressionRatio?: number;
  /** Logical bytes by plain bytes of contents. */
  readonly deduplicationRatio?: number;
  readonly packs: { readonly count: number; readonly bytes: number };
  readonly index: { readonly files: number; readonly entries: number };
  /** What no backup needs; left out where something is not counted: it may be needed by that. */
  readonly waste?: Waste;
  /** What repairs moved to `damaged/`. */
  readonly setAside: { readonly objects: number; readonly bytes: number };
  readonly locks: Readonly<Record<LockFacts['state'], number>>;
  readonly keys: Readonly<Record<KeyInfo['state'], number>>;
}

type Parts = Omit<RepositoryParts, 'index'>;

const mostUnseen = 100;

/**
 * Counts under a lock of the caller's. Reads all trees and no contents, so that it does not see whether these are damaged.
 * Memory: the index, a bit a blob for each plan and type, and what `TreeSizes` takes. Throws what is no damage.
 */
export async function repositoryStats(
  parts: Parts,
  view: CatalogView,
  listLocks: () => Promise<readonly LockFacts[]>,
  { signal, progress }: WorkOptions,
): Promise<RepositoryStats> {
  progress.step('reading keys and index');
  const keys = await listKeys(parts.store, signal);
  const locksBefore = await listLocks();
  const marks = await readMarks(parts.objects, signal, true);
  const { snapshots, bad } = await listSnapshots(parts.objects, signal);
  const { index, files, damaged } = await readIndex(parts, signal);
  const locks = await listLocks();
  const stored = await StoredPacks.list(parts.store, index, signal);
  progress.step('reading trees');
  const groups = await walkGroups({ ...parts, index }, groupsOf(snapshots), signal);
  withoutGone(groups, goneOf(index, stored.sizes));
  const unseen = [
    ...[...bad.map(({ error }) => error), ...damaged].map(({ message }) => message),
    ...damageOf(groups),
    ...(await missedOf([...snapshots, ...bad], view, index.count + stored.orphans.count > 0)),
  ];
  const waste = () => wasteOf(index, unionOf(groups), stored, marks, [...locksBefore, ...locks]);
  return {
    ...verdictOf(unseen),
    ...countBackups(snapshots.length + bad.length, groups),
    ...countUse(index, groups, unseen.length === 0),
    ...countStored(stored),
    index: { files: files + damaged.length, entries: index.count },
    ...(unseen.length === 0 && { waste: waste() }),
    setAside: await countSetAside(parts, signal),
    locks: countStates(locks, { held: 0, stale: 0, unreadable: 0 }),
    keys: countStates(keys, { good: 0, weak: 0, damaged: 0 }),
  };
}

async function readIndex({ objects }: Parts, signal: AbortSignal) {
  const known = new Set<string>();
  const damaged: TidemarkError[] = [];
  const index = await loadIndex(objects, signal, { known, onDamaged: (error) => damaged.push(error) });
  return { index, files: known.size, damaged };
}

async function walkGroups(parts: RepositoryParts, groups: Group[], signal: AbortSignal): Promise<Group[]> {
  const sizes = new TreeSizes(parts.index);
  for (const group of groups) await walkGroup(parts, group, sizes, signal);
  return groups;
}

function damageOf(groups: readonly Group[]): string[] {
  return groups.flatMap(({ plan, damage }) =>
    damage === undefined ? [] : `backups ${plan === undefined ? 'of other programs' : `of ${plan}`}: ${damage}`,
  );
}

/** What the catalog lists and the repository lacks; or that nobody can say whether it lacks anything. */
async function missedOf(
  there: readonly { readonly id: string }[],
  view: CatalogView,
  hasData: boolean,
): Promise<string[]> {
  const ids = new Set(there.map(({ id }) => id));
  const missed = (await stillKnown(ids, view)).filter(({ snapshot }) => !ids.has(snapshot));
  if (missed.length === 0 && ids.size === 0 && hasData && (await view.sawEmptied?.()) !== true)
    return ['it holds data and no snapshot, and the catalog did not see a last one go'];
  return missed.map(
    ({ snapshot, backup, plan }) =>
      `the catalog lists ${backup === undefined ? 'a backup of another program' : `backup ${backup} of ${plan}`}, and snapshot ${snapshot.slice(0, 8)} is not in the repository`,
  );
}

function verdictOf(unseen: readonly string[]): Pick<RepositoryStats, 'verdict' | 'unseen' | 'unseenCount'> {
  const verdict = unseen.length === 0 ? 'whole' : 'incomplete';
  return { verdict, unseen: unseen.slice(0, mostUnseen), unseenCount: unseen.length };
}

/** One that cannot be read is somebody's. */
function countBackups(backups: number, groups: readonly Group[]) {
  const foreign = groups.flatMap(({ snapshots }) => snapshots.filter((snapshot) => snapshot.backup === undefined));
  return { backups, foreignBackups: foreign.length };
}

function countUse(index: BlobIndex, groups: readonly Group[], isWhole: boolean) {
  const { contents, folders } = blobTotals(index, unionOf(groups));
  const logicalBytes = groups.reduce((sum, group) => sum + group.logicalBytes, 0);
  const storedBytes = contents.storedBytes + folders.storedBytes;
  const compressionRatio = (contents.plainBytes + folders.plainBytes) / storedBytes;
  const deduplicationRatio = logicalBytes / contents.plainBytes;
  return {
    plans: groupUses(index, groups, 'plan'),
    types: groupUses(index, groups, 'type'),
    contents,
    folders,
    ...(isWhole && { logicalBytes }),
    ...(isWhole && Number.isFinite(compressionRatio) && { compressionRatio }),
    ...(isWhole && Number.isFinite(deduplicationRatio) && { deduplicationRatio }),
  };
}

function blobTotals(index: BlobIndex, used: Bits): { contents: BlobTotal; folders: BlobTotal } {
  const [contents, folders] = [0, 1].map(() => ({ blobs: 0, storedBytes: 0, plainBytes: 0 })) as [Sum, Sum];
  for (let place = 0; place < index.count; place++) {
    if (!used.has(place)) continue;
    const total = index.isTree(place) ? folders : contents;
    total.blobs += 1;
    total.storedBytes += index.lengthOf(place);
    total.plainBytes += index.plainLengthOf(place);
  }
  return { contents, folders };
}

type Sum = { -readonly [Field in keyof BlobTotal]: number };

function unionOf(groups: readonly Group[]): Bits {
  const all = new Bits();
  for (const { used } of groups) all.addAll(used);
  return all;
}

function countStored({ sizes, orphanSizes }: StoredPacks): Pick<RepositoryStats, 'packs'> {
  const there = [...sizes.filter((size) => size > 0), ...orphanSizes];
  return { packs: { count: there.length, bytes: there.reduce((sum, size) => sum + size, 0) } };
}

async function countSetAside({ store }: Parts, signal: AbortSignal): Promise<RepositoryStats['setAside']> {
  let [objects, bytes] = [0, 0];
  for await (const { sizeBytes } of store.list(damagedFolder, signal)) {
    objects += 1;
    bytes += sizeBytes;
  }
  return { objects, bytes };
}

function countStates<State extends string>(all: readonly { readonly state: State }[], none: Record<State, number>) {
  const counts = { ...none };
  for (const { state } of all) counts[state] += 1;
  return counts;
}
