import { asTidemarkError, hasCode, TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import { fromHex } from '../format/blob-id.ts';
import type { RepositoryLock } from '../lock.ts';
import { describeLock, type LockDocument, mayWrite } from '../lock-document.ts';
import type { RepositoryParts } from '../parts.ts';
import { readSnapshot } from '../snapshots.ts';
import { TreeWalk } from '../walk/tree-walk.ts';
import { decide, type Verdict, verdictNumber, verdicts } from './decide.ts';
import { IndexView } from './index-view.ts';
import { holdUp, markTimes } from './mark-times.ts';
import { type Mark, type Marks, marksIn, readMarks } from './marks.ts';
import type { PruneOptions, PruneWork } from './options.ts';
import { PackUse, StoredPacks } from './pack-use.ts';
import { roomLacking } from './room.ts';
import type { PackGroup, PruneSummary, WaitingMark } from './summary.ts';

export type PruneParts = Omit<RepositoryParts, 'index'>;

/** What a plan is made of; its execution goes on from here. */
export interface PlanState {
  readonly options: PruneOptions;
  readonly lock: RepositoryLock;
  readonly view: IndexView;
  readonly walk: TreeWalk;
  /** The snapshots whose trees were walked. */
  readonly walked: Set<string>;
  readonly stored: StoredPacks;
  readonly use: PackUse;
  readonly decided: Uint8Array;
  readonly orphanVerdict: (orphan: number) => number;
  readonly marks: Marks;
  readonly ripe: readonly Mark[];
  /** Dated in the future, and to be marked anew. */
  readonly ahead: readonly Mark[];
  /** Dated in the future, and marked anew. */
  readonly replaced: readonly Mark[];
  /** What the store says that is left; undefined where it has no bounds that it knows. */
  readonly freeBytes: number | undefined;
  /** A plan is executed once: what it found out is old then. */
  readonly done: { begun: boolean };
}

/** What a prune will do. Good for one execution under the same lock; `summary` is plain data. */
export class PrunePlan {
  readonly summary: PruneSummary;
  readonly state: PlanState;

  constructor(state: PlanState, summary: PruneSummary) {
    this.state = state;
    this.summary = summary;
  }

  /** The snapshots that count: all but those that are to be forgotten. */
  get snapshots(): ReadonlySet<string> {
    return this.state.walked;
  }

  /** Whether its execution would change anything. */
  get isEmpty(): boolean {
    const { marks, ripe, ahead } = this.state;
    const unfinished =
      marks.useless.length + ahead.length > 0 || marks.marks.some(({ holders }) => holders === undefined);
    const acts = this.summary.groups.some(({ action }) => action !== 'keep' && action !== 'wait');
    return !acts && !unfinished && ripe.length === 0;
  }
}

/**
 * Looks at everything and changes nothing. Locks are looked at before the snapshots: a backup that is not among the locks
 * has its snapshot there; and again after the index, for the packs of backups that began meanwhile. Throws
 * REPOSITORY_CORRUPT for a repository that is not wholly understood: nothing is to be deleted from it.
 */
export async function planPrune(
  parts: PruneParts,
  lock: RepositoryLock,
  options: PruneOptions,
  nowMs: number,
  { signal }: PruneWork,
): Promise<PrunePlan> {
  if (options.now && !lock.isExclusive) throw new TidemarkError('BUG', 'to prune at once needs an exclusive lock');
  try {
    const before = await lock.others();
    const marks = await readMarks(parts.objects, signal, true);
    const view = new IndexView(parts.objects);
    const walked = new Set<string>();
    const roots = await newRoots(parts, walked, options, signal);
    await view.extend(signal);
    const others = [...before, ...(await lock.others())];
    const walk = new TreeWalk({ ...parts, index: view.index }, { signal });
    await walk.walk(roots);
    const stored = await StoredPacks.list(parts.store, view.index, signal);
    const freeBytes = await parts.store.freeBytes?.(signal);
    return makePlan({ options, lock, view, walk, walked, stored, marks, freeBytes }, others, nowMs);
  } catch (error) {
    throw hasCode(error, 'REPOSITORY_CORRUPT') ? refusal(error) : error;
  }
}

/** Trees of the snapshots that were not walked, which then count as walked. */
export async function newRoots(
  { objects }: PruneParts,
  walked: Set<string>,
  { forgetting = [] }: PruneOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const roots: string[] = [];
  for await (const id of objects.list('snapshots', signal)) {
    if (walked.has(id) || forgetting.includes(id)) continue;
    try {
      roots.push((await readSnapshot(objects, id, signal)).tree);
      walked.add(id);
    } catch (error) {
      if (!hasCode(error, 'OBJECT_NOT_FOUND')) throw error; // it was forgotten after it was listed
    }
  }
  return roots;
}

type Found = Omit<PlanState, 'use' | 'decided' | 'orphanVerdict' | 'ripe' | 'ahead' | 'replaced' | 'done'>;

function makePlan(all: Found, others: readonly LockDocument[], nowMs: number): PrunePlan {
  const found = { ...all, marks: withoutGone(all) };
  const { options, view, stored, marks, walk } = found;
  const none = { ripe: [], ahead: [], replaced: [] };
  const times = options.now ? none : markTimes(marks.marks, others, options.graceMs, nowMs);
  const { ripe } = times;
  const marked = options.now ? new Bits() : marksIn(view.index, marks.marks);
  const ripePacks = marksIn(view.index, ripe);
  const running = new Bits();
  view.packsBy(holdersOf(others), (pack) => running.set(pack));
  const use = new PackUse(view.index, walk.used, stored.sizes, (pack) => marked.has(pack));
  const decided = decide(view.index, use, stored.sizes, {
    maxUnused: options.maxUnused,
    now: options.now,
    isRunning: (pack) => running.has(pack),
    isMarked: (pack) => marked.has(pack),
    isRipe: (pack) => ripePacks.has(pack),
  });
  const orphanVerdict = orphanVerdicts(found, ripe, others);
  const state = { ...found, ...times, use, decided, orphanVerdict, done: { begun: false } };
  return new PrunePlan(state, summarize(state, others, nowMs));
}

/** A mark of which no pack is there any more, nor is named, says nothing: another prune has removed them, or restic. */
function withoutGone({ marks, view, stored }: Found): Marks {
  const isThere = ({ id }: Mark['packs'][number]) =>
    view.index.packNumber(fromHex(id)) !== undefined || stored.orphans.numberOf(fromHex(id)) !== undefined;
  const [there, gone] = [marks.marks.filter(({ packs }) => packs.some(isThere)), new Set(marks.marks)];
  for (const mark of there) gone.delete(mark);
  const useless = [...gone].flatMap(({ id, witnesses }) => [id, ...witnesses]);
  return { marks: there, useless: [...useless, ...marks.useless] };
}

export function holdersOf(locks: readonly LockDocument[]): Set<string> {
  return new Set(locks.flatMap(({ holder }) => holder ?? []));
}

/** While anybody writes, packs without an index may be the latest of his; whose they are does not stand in them. */
function orphanVerdicts({ stored, marks }: Found, ripe: readonly Mark[], others: readonly LockDocument[]) {
  const has = (some: readonly Mark[]) => {
    const found = new Bits();
    for (const { packs } of some) {
      for (const { id } of packs) {
        const orphan = stored.orphans.numberOf(fromHex(id));
        if (orphan !== undefined) found.set(orphan);
      }
    }
    return found;
  };
  const [allMarked, allRipe] = [has(marks.marks), has(ripe)];
  const writing = others.some(mayWrite);
  return (orphan: number) => {
    if (allRipe.has(orphan)) return verdictNumber('marked, and its time is over');
    if (allMarked.has(orphan)) return verdictNumber('marked');
    return verdictNumber(writing ? 'a running backup wrote it' : 'no index names it');
  };
}

function summarize(state: PlanState, others: readonly LockDocument[], nowMs: number): PruneSummary {
  const { stored, use, view, walked } = state;
  const groups = groupsOf(state);
  const sum = (count: (group: PackGroup) => number, ...actions: Verdict['action'][]) =>
    groups.filter(({ action }) => actions.includes(action)).reduce((total, group) => total + count(group), 0);
  const changed = sum(({ bytes }) => bytes, 'mark', 'repack');
  const { now } = state.options;
  const copyBytes = sum(({ usedBytes }) => usedBytes, 'repack');
  const removeBytes = sum(({ bytes }) => bytes, 'remove') + (now ? changed : 0);
  const markBytes = now ? 0 : changed;
  const freedFirst = now ? sum(({ bytes }) => bytes, 'remove', 'mark') : removeBytes; // before anything is copied
  return {
    snapshots: walked.size,
    packs: view.index.packCount + stored.orphans.count,
    bytes: groups.reduce((total, { bytes }) => total + bytes, 0),
    usedBytes: use.usedBytes.reduce((total, bytes) => total + bytes, 0),
    groups,
    waiting: waitingMarks(state, others, nowMs),
    removeBytes,
    markBytes,
    copyBytes,
    netBytes: removeBytes + markBytes - copyBytes,
    ...(state.freeBytes === undefined
      ? {}
      : { freeBytes: state.freeBytes, ...lacking(state, state.freeBytes + freedFirst) }),
  };
}

function lacking({ decided, use }: PlanState, freeBytes: number): Pick<PruneSummary, 'lacksRoom'> {
  const packs: number[] = [];
  for (const [pack, verdict] of decided.entries()) if (verdicts[verdict]!.action === 'repack') packs.push(pack);
  const lacksRoom = roomLacking(use, packs, freeBytes);
  return lacksRoom === undefined ? {} : { lacksRoom };
}

function groupsOf({ decided, stored, use, orphanVerdict }: PlanState): PackGroup[] {
  const totals = verdicts.map(() => ({ packs: 0, bytes: 0, usedBytes: 0 }));
  const add = (verdict: number, bytes: number, usedBytes: number) => {
    const total = totals[verdict]!;
    total.packs += 1;
    total.bytes += bytes;
    total.usedBytes += usedBytes;
  };
  for (const [pack, verdict] of decided.entries()) add(verdict, stored.sizes[pack]!, use.usedBytes[pack]!);
  for (const [orphan, bytes] of stored.orphanSizes.entries()) add(orphanVerdict(orphan), bytes, 0);
  return totals.flatMap((total, at) => (total.packs === 0 ? [] : { ...verdicts[at]!, ...total }));
}

/** Of the packs that are there. */
function waitingMarks(state: PlanState, others: readonly LockDocument[], nowMs: number): WaitingMark[] {
  const { marks, ripe, ahead, replaced, options } = state;
  if (options.now) return [];
  const waiting = marks.marks.filter((mark) => !ripe.includes(mark) && !replaced.includes(mark));
  return waiting.map((mark) => {
    const isAhead = ahead.includes(mark);
    const sizes = mark.packs.map(({ id }) => storedBytes(state, id)).filter((bytes) => bytes > 0);
    return {
      mark: mark.id,
      markedAt: mark.markedAt,
      ripeAt: new Date((isAhead ? nowMs : Date.parse(mark.markedAt)) + options.graceMs).toISOString(),
      packs: sizes.length,
      bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      waitsFor: holdUp(mark, others).map((other) => describeLock(other)),
      isAhead,
    };
  });
}

function storedBytes({ view, stored }: PlanState, id: string): number {
  const pack = view.index.packNumber(fromHex(id));
  if (pack !== undefined) return stored.sizes[pack]!;
  const orphan = stored.orphans.numberOf(fromHex(id));
  return orphan === undefined ? 0 : stored.orphanSizes[orphan]!;
}

function refusal(error: TidemarkError): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `nothing was removed, because ${error.message}`, {
    hint: 'Space is freed only in a repository that is whole. `tidemark repository check` says what is damaged and which backups it hurts, `tidemark repository repair` puts right what can be put right.',
    cause: asTidemarkError(error),
  });
}
