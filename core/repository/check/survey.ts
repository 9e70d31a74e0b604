import { hasCode, TidemarkError } from '../../error.ts';
import { BlobIndex } from '../blob-index.ts';
import { BlobReading } from '../blob-reading.ts';
import { fromHex } from '../format/blob-id.ts';
import { Sealer } from '../format/sealer.ts';
import { type KeyInfo, listKeys } from '../keys.ts';
import { listPacks, type PackFile } from '../list-packs.ts';
import type { SealedObjects } from '../objects.ts';
import { readPackHeaders } from '../pack-headers.ts';
import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { Pins, type SeenPin } from '../pins.ts';
import { TreeWalk } from '../walk/tree-walk.ts';
import { type HurtEntry, HurtWalk } from './hurt-walk.ts';
import { type LostRoot, lostRoots } from './lost-roots.ts';
import { type PackFacts, PackTable } from './pack-table.ts';
import { readIndexFiles } from './read-index.ts';
import { type PackDamage, readPacks } from './read-packs.ts';
import { nextSlice, type ReadAmount, type Slice } from './slice.ts';
import { listSnapshots, manifestDamage, type SnapshotFacts, type SnapshotList } from './snapshot-list.ts';
import { Whereabouts } from './whereabouts.ts';

export interface SurveyOptions {
  readonly read: ReadAmount;
  /** Where the last slice ended. */
  readonly after?: string;
  /** Packs in which something was found earlier: they are read whatever `read` says. */
  readonly suspects?: readonly string[];
  /** Packs that no index names are read, too: to be taken in. */
  readonly readUnindexed?: boolean;
}

/** Packs that no index names: what a running backup has just stored, what one left that was cut off, or what an index was lost of. */
export interface UnindexedPacks {
  readonly packs: number;
  readonly bytes: number;
  /** Whose own headers cannot be read either, where those were looked at. */
  readonly unreadable: number;
}

/** All that was seen of a repository: what findings and repairs are made from. */
export interface Survey {
  readonly keys: readonly KeyInfo[];
  readonly indexFiles: number;
  readonly badIndexFiles: readonly { readonly id: string; readonly error: TidemarkError }[];
  readonly packs: PackTable;
  readonly whereabouts: Whereabouts;
  readonly badPacks: readonly PackDamage[];
  /** Packs in a folder that is not theirs: nobody finds them. */
  readonly misplaced: readonly PackFile[];
  readonly unindexed: UnindexedPacks;
  readonly snapshots: SnapshotList;
  readonly trees: number;
  readonly hurt: readonly HurtSnapshot[];
  /** Snapshots whose manifest is missing or is none, while its blobs can be had. */
  readonly badManifests: readonly { readonly snapshot: SnapshotFacts; readonly text: string }[];
  readonly read: { readonly slice: Slice; readonly packs: number; readonly bytes: number };
  readonly storedBytes: number;
  readonly pins: readonly SeenPin[];
  /** Those of a backup that no snapshot is of. */
  readonly lonePins: readonly SeenPin[];
  /** Where there is no snapshot at all. */
  readonly lostRoots: readonly LostRoot[];
  /** Documents of `marks/` and `pins/` that cannot be read. */
  readonly badNotes: readonly BadNote[];
}

export interface BadNote {
  readonly kind: 'marks' | 'pins';
  readonly id: string;
  readonly error: TidemarkError;
  /** Of a pin: see `BadPin`. */
  readonly isWhole?: boolean;
}

export interface HurtSnapshot {
  readonly snapshot: SnapshotFacts;
  /** By what costs them. Of many causes those that come first. */
  readonly causes: ReadonlyMap<HurtEntry['cause'], HurtPaths>;
  /** How many entries of the backup cannot be had; counting ends at `mostCounted`. */
  readonly count: number;
}

export interface HurtPaths {
  /** The first ones. */
  readonly paths: readonly string[];
  readonly count: number;
}

const mostCauses = 1_000;
const mostPaths = 20;
export const mostCounted = 100_000;

type Parts = Pick<RepositoryParts, 'store' | 'objects' | 'key'>;

/**
 * Looks at a repository as a whole, under a lock of the caller's. The index is read before the packs are listed: what it
 * names and the listing lacks is lost. Damage is gathered; anything else, such as a store that is away, is thrown.
 */
export async function survey(parts: Parts, options: SurveyOptions, work: WorkOptions): Promise<Survey> {
  const { signal, progress } = work;
  progress.step('reading keys and index');
  const keys = await listKeys(parts.store, signal);
  const { pins, badNotes } = await readNotes(parts, signal); // before the snapshots: what is pinned is there already
  const snapshots = await listSnapshots(parts.objects, signal);
  const { packs, index, indexFiles, badIndexFiles } = await readIndex(parts, signal);
  const { storedBytes, misplaced } = await readListing(parts, packs, signal);
  const whereabouts = new Whereabouts(index, packs);
  const slice = nextSlice(packs.all(), options.read, options.after);
  const suspects = suspectPacks(packs, options.suspects ?? []);
  const unnamed = options.readUnindexed
    ? [...packs.all()].filter(({ indexedBytes }) => indexedBytes === undefined)
    : [];
  const due = [...new Map([...suspects, ...slice.packs, ...unnamed].map((pack) => [pack.id, pack])).values()];
  progress.expect({ bytes: due.reduce((sum, { storedBytes: bytes = 0 }) => sum + bytes, 0) });
  progress.step('reading data');
  const gone = packsGone(packs);
  const [read, walked] = await together(
    signal,
    (signal) => readPacks(parts, whereabouts, due, { ...work, signal }).finally(() => progress.step('reading trees')),
    (signal) => walkTrees({ ...parts, index }, snapshots.snapshots, signal),
  );
  const own = options.readUnindexed ? read.own : undefined;
  const { hurt, trees, badManifests, unindexed } = await surveyTrees(
    parts,
    whereabouts,
    snapshots.snapshots,
    walked,
    signal,
    own,
  );
  const isBare = snapshots.snapshots.length + snapshots.bad.length === 0;
  const damaged = options.readUnindexed ? read.damaged : read.damaged.filter((one) => matters(one, hurt));
  return {
    keys,
    indexFiles,
    badIndexFiles,
    packs,
    whereabouts,
    badPacks: [...gone, ...damaged],
    misplaced,
    unindexed,
    snapshots,
    trees,
    hurt,
    badManifests,
    read: { slice, packs: read.packs, bytes: read.bytes },
    storedBytes,
    pins,
    lonePins: await lonePins(parts, pins, snapshots, signal),
    lostRoots: isBare ? await lostRoots(new BlobReading({ ...parts, index }, signal), index) : [],
    badNotes,
  };
}

async function readNotes({ objects }: Parts, signal: AbortSignal): Promise<Pick<Survey, 'pins' | 'badNotes'>> {
  const marks = await damagedMarks(objects, signal);
  const { pins, bad } = await new Pins(objects).look(signal);
  return { pins, badNotes: [...marks, ...bad.map((pin) => ({ ...pin, kind: 'pins' as const }))] };
}

/** What is gone by now was taken away with its backup. */
async function lonePins(
  { objects }: Parts,
  pins: readonly SeenPin[],
  { snapshots }: SnapshotList,
  signal: AbortSignal,
): Promise<readonly SeenPin[]> {
  const there = new Set(snapshots.flatMap(({ id, backup, replaces }) => [id, backup, replaces]));
  const lone = pins.filter(({ backup }) => !there.has(backup));
  const now = lone.length === 0 ? [] : (await new Pins(objects).look(signal)).pins;
  return lone.filter(({ id }) => now.some((pin) => pin.id === id));
}

/** An empty one, as a full disk leaves, keeps nobody from anything. */
async function damagedMarks(objects: SealedObjects, signal: AbortSignal): Promise<BadNote[]> {
  const bad: BadNote[] = [];
  for await (const id of objects.list('marks', signal)) {
    try {
      await objects.get('marks', id, signal);
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) continue;
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      if (!(await objects.isEmpty('marks', id, signal))) bad.push({ kind: 'marks', id, error });
    }
  }
  return bad;
}

async function readIndex({ objects }: Parts, signal: AbortSignal) {
  const [packs, index] = [new PackTable(), new BlobIndex()];
  const badIndexFiles: { id: string; error: TidemarkError }[] = [];
  let indexFiles = 0;
  for await (const file of readIndexFiles(objects, signal, (error, id) => badIndexFiles.push({ id, error }))) {
    indexFiles += 1;
    for (const { id, blobs } of file.packs()) {
      packs.addIndexed(id, blobs);
      index.addPack(id, blobs);
    }
  }
  return { packs, index, indexFiles, badIndexFiles };
}

async function readListing({ store }: Parts, packs: PackTable, signal: AbortSignal) {
  let storedBytes = 0;
  const misplaced: PackFile[] = [];
  for await (const { id, sizeBytes } of listPacks(store, signal, (file) => misplaced.push(file))) {
    packs.addStored(fromHex(id), sizeBytes);
    storedBytes += sizeBytes;
  }
  return { storedBytes, misplaced };
}

/** Of packs that no index names only what costs a backup something: others may be what one left that was cut off. */
function matters({ pack, what }: PackDamage, hurt: readonly HurtSnapshot[]): boolean {
  if (pack.indexedBytes !== undefined || what === 'denied') return true;
  return what !== 'unindexed' && hurt.some(({ causes }) => causes.has(pack.number));
}

/** What is to be read in any case: packs of another size than the index says, and those that were bad before. */
function suspectPacks(packs: PackTable, known: readonly string[]): PackFacts[] {
  const before = new Set(known);
  return [...packs.all()].filter(
    ({ id, indexedBytes, storedBytes, contradictory }) =>
      storedBytes !== undefined &&
      ((indexedBytes !== undefined && (indexedBytes !== storedBytes || contradictory)) || before.has(id)),
  );
}

function packsGone(packs: PackTable): PackDamage[] {
  return [...packs.all()]
    .filter(({ storedBytes }) => storedBytes === undefined)
    .map((pack) => ({ pack, what: 'missing', badBlobs: 0, blobs: 0 }));
}

/** What both come to, at once. When one fails the other is told to stop, and waited for. */
async function together<One, Other>(
  signal: AbortSignal,
  one: (signal: AbortSignal) => Promise<One>,
  other: (signal: AbortSignal) => Promise<Other>,
): Promise<[One, Other]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const both = [one(either), other(either)] as const;
  for (const work of both) work.catch((error) => stop.abort(error));
  await Promise.allSettled(both);
  return Promise.all(both);
}

/** What a quick look at all trees says: whether there is anything to look for. */
interface WalkedTrees {
  readonly trees: number;
  readonly isDamaged: boolean;
}

async function walkTrees(
  parts: RepositoryParts,
  snapshots: readonly SnapshotFacts[],
  signal: AbortSignal,
): Promise<WalkedTrees> {
  let isDamaged = false;
  const onDamage = () => {
    isDamaged = true;
  };
  const walk = new TreeWalk(parts, { signal, onDamage });
  await walk.walk(snapshots.map(({ tree }) => tree));
  return { trees: walk.treeCount, isDamaged };
}

type TreeSurvey = Pick<Survey, 'hurt' | 'trees' | 'badManifests' | 'unindexed'>;

async function surveyTrees(
  parts: Parts,
  whereabouts: Whereabouts,
  snapshots: readonly SnapshotFacts[],
  { trees, isDamaged }: WalkedTrees,
  signal: AbortSignal,
  own: BlobIndex | undefined,
): Promise<TreeSurvey> {
  const { index, packs } = whereabouts;
  const unindexed = countUnindexed(packs);
  const seen = { trees, unindexed };
  if (isDamaged || !whereabouts.isSound) {
    const found = await findHurt(parts, whereabouts, snapshots, unindexed, signal, own);
    const isFoundElsewhere = unindexed.packs > 0 || (own?.count ?? 0) > 0;
    if (isDamaged && found.hurt.length === 0 && !isFoundElsewhere) throw contradiction();
    return { ...seen, ...found };
  }
  const badManifests = await readManifests(new BlobReading({ ...parts, index }, signal), snapshots);
  return { ...seen, hurt: [], badManifests };
}

/** Two walks over the same trees; the second looks more closely, and must not see less. */
function contradiction(): TidemarkError {
  return new TidemarkError('BUG', 'a check saw damage and could not say which backup it hurts', {
    hint: 'Take the repository for damaged. `restic check` on it says what is.',
  });
}

/** Once more, where something is in no index, with what the packs say that no index names. */
async function findHurt(
  parts: Parts,
  whereabouts: Whereabouts,
  snapshots: readonly SnapshotFacts[],
  unindexed: UnindexedPacks,
  signal: AbortSignal,
  own: BlobIndex | undefined,
): Promise<Omit<TreeSurvey, 'trees' | 'unindexed'> & Partial<TreeSurvey>> {
  const { index } = whereabouts;
  if (own !== undefined) {
    whereabouts.setFound(own);
    return walkHurt({ ...parts, index }, whereabouts, snapshots, signal, async () => own);
  }
  const first = await walkHurt({ ...parts, index }, whereabouts, snapshots, signal);
  if (unindexed.packs === 0 || !first.hurt.some(({ causes }) => causes.has('unindexed'))) return first;
  const found = await readPackHeaders(parts.store, new Sealer(parts.key), index, signal);
  whereabouts.setFound(found.index);
  const second = await walkHurt({ ...parts, index }, whereabouts, snapshots, signal, async () => found.index);
  return { ...second, unindexed: { ...unindexed, unreadable: found.unreadable } };
}

async function walkHurt(
  parts: RepositoryParts,
  whereabouts: Whereabouts,
  snapshots: readonly SnapshotFacts[],
  signal: AbortSignal,
  findLost?: () => Promise<BlobIndex>,
): Promise<Pick<TreeSurvey, 'hurt' | 'badManifests'>> {
  const blobs = new BlobReading(parts, signal, findLost);
  const walk = new HurtWalk(blobs, whereabouts, signal);
  const hurt = await walkSnapshots(walk, snapshots);
  const hurtIds = new Set(hurt.map(({ snapshot }) => snapshot.id));
  const others = snapshots.filter(({ id }) => !hurtIds.has(id));
  return { hurt, badManifests: await readManifests(blobs, others) };
}

async function walkSnapshots(walk: HurtWalk, snapshots: readonly SnapshotFacts[]): Promise<HurtSnapshot[]> {
  const hurt: SnapshotFacts[] = [];
  for (const snapshot of snapshots) if (await walk.isHurt(snapshot.tree)) hurt.push(snapshot);
  const told: HurtSnapshot[] = [];
  for (const snapshot of hurt) told.push(await tellHurt(walk, snapshot));
  return told;
}

async function tellHurt(walk: HurtWalk, snapshot: SnapshotFacts): Promise<HurtSnapshot> {
  const causes = new Map<HurtEntry['cause'], { paths: string[]; count: number }>();
  let count = 0;
  for await (const { path, cause } of walk.hurtIn(snapshot.tree)) {
    const known = causes.get(cause) ?? { paths: [], count: 0 };
    if (causes.size < mostCauses) causes.set(cause, known);
    if (known.paths.length < mostPaths) known.paths.push(path);
    known.count += 1;
    if (++count === mostCounted) break;
  }
  return { snapshot, causes, count };
}

async function readManifests(blobs: BlobReading, snapshots: readonly SnapshotFacts[]) {
  const bad: { snapshot: SnapshotFacts; text: string }[] = [];
  for (const snapshot of snapshots) {
    const text = await manifestDamage(blobs, snapshot);
    if (text !== undefined) bad.push({ snapshot, text });
  }
  return bad;
}

function countUnindexed(packs: PackTable): UnindexedPacks {
  const all = [...packs.all()].filter(({ indexedBytes }) => indexedBytes === undefined);
  return { packs: all.length, bytes: all.reduce((sum, { storedBytes = 0 }) => sum + storedBytes, 0), unreadable: 0 };
}
