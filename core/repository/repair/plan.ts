import type { LostOfPack, PackDamage } from '../check/read-packs.ts';
import type { SnapshotFacts } from '../check/snapshot-list.ts';
import type { HurtSnapshot, Survey } from '../check/survey.ts';
import type { KnownPin } from '../pins.ts';
import type { MisplacedAction } from './misplaced.ts';
import { type NotePlan, planNotes } from './plan-notes.ts';

/** What a repair does, in this order, and nothing else. */
export interface RepairPlan {
  /** Of the repository that it was made for: see `fingerprintOf`. */
  readonly fingerprint: string;
  /** Packs that lie in wrong folders: the first thing that is done, and all else is planned as if it were. */
  readonly misplaced: readonly MisplacedAction[];
  /** Index files that cannot be read: moved aside. What they named is taken in from the packs. */
  readonly indexFiles: readonly string[];
  readonly packs: readonly PackAction[];
  readonly snapshots: readonly SnapshotAction[];
  readonly marks: NotePlan['marks'];
  readonly pins: NotePlan['pins'];
  /** What was found and no repair can mend, for people. */
  readonly left: readonly string[];
  /** Space that the repair may need while it runs, and that was free then, where that is known. */
  readonly needsBytes: number;
  readonly freeBytes?: number;
}

export interface PackAction {
  readonly id: string;
  /**
   * `drop`: it is gone, the index forgets it. `salvage`: its blobs that open go into new packs, it is moved aside.
   * `take-in`: it is whole and no index names it; one does then.
   */
  readonly action: 'drop' | 'salvage' | 'take-in';
  readonly reason: string;
  /** Of one that is salvaged: what the plan reckons with. A repair that can read less of it is refused. */
  readonly lost?: LostOfPack;
}

export interface SnapshotAction {
  readonly id: string;
  readonly backup?: string;
  readonly plan?: string;
  readonly time: string;
  /**
   * `rewrite`: a new snapshot without what is lost takes its place. `set-aside`: it cannot be read, nothing of it is
   * left, or a repair that was cut off has its new one written: it is moved aside.
   */
  readonly action: 'rewrite' | 'set-aside';
  readonly reason: string;
  /** Of one whose new one is written: the id of that. */
  readonly replacedBy?: string;
  /** What it loses: the first paths, and how many in all. */
  readonly paths: readonly string[];
  readonly count: number;
}

/**
 * Pure. `fingerprint`: of the repository as it was before the survey, which saw it as `misplaced` leaves it. `manifests`:
 * snapshots whose manifest can be had from elsewhere; another one would be rewritten again and again, and never be whole.
 * `knownPins`: those of the catalog.
 */
export function planRepair(
  survey: Survey,
  fingerprint: string,
  manifests: ReadonlySet<string>,
  misplaced: readonly MisplacedAction[],
  knownPins: readonly KnownPin[],
): Omit<RepairPlan, 'needsBytes' | 'freeBytes'> {
  const { marks, pins, left } = planNotes(survey, knownPins);
  return {
    fingerprint,
    misplaced,
    indexFiles: survey.badIndexFiles.map(({ id }) => id),
    packs: survey.badPacks.map(packAction).sort((a, b) => (a.id < b.id ? -1 : 1)),
    snapshots: snapshotActions(survey, manifests),
    marks,
    pins,
    left: [...damagedKeys(survey), ...lostManifests(survey, manifests), ...left],
  };
}

function damagedKeys({ keys }: Survey): string[] {
  return keys.filter(({ state }) => state === 'damaged').map(({ id }) => `keys/${id} is damaged`);
}

function lostManifests({ snapshots, badManifests }: Survey, manifests: ReadonlySet<string>): string[] {
  const replaced = replacedBy(snapshots);
  const lost = badManifests.filter(({ snapshot: { id } }) => !manifests.has(id) && !replaced.has(id));
  return lost.map(
    ({ snapshot: { id, backup }, text }) =>
      `snapshots/${id} of backup ${backup}: ${text}, and the catalog has none; its files can be restored into a folder, and \`restic forget ${id.slice(0, 8)}\` removes it`,
  );
}

/** Snapshots in whose place a repair that was cut off has put another one, with the id of that. */
function replacedBy({ snapshots }: Survey['snapshots']): ReadonlyMap<string, string> {
  return new Map(snapshots.flatMap(({ id, replaces }) => (replaces === undefined ? [] : [[replaces, id]])));
}

function packAction(damage: PackDamage): PackAction {
  const action = { id: damage.pack.id, ...packDecision(damage) };
  return action.action === 'salvage' ? { ...action, lost: damage.lost } : action;
}

function packDecision({ what, badBlobs, blobs }: PackDamage): Omit<PackAction, 'id'> {
  if (what === 'missing') return { action: 'drop', reason: 'it is gone' };
  if (what === 'unindexed') return { action: 'take-in', reason: `no index names it, and its ${blobs} blobs are whole` };
  if (what === 'damaged') return { action: 'salvage', reason: `${badBlobs} of ${blobs} blobs do not open` };
  return { action: 'salvage', reason: what === 'not itself' ? 'its bytes are not those of its name' : what };
}

function snapshotActions({ snapshots, hurt, badManifests }: Survey, manifests: ReadonlySet<string>): SnapshotAction[] {
  const replaced = replacedBy(snapshots);
  const unreadable = snapshots.bad.map(
    ({ id, error }): SnapshotAction => ({
      id,
      time: '',
      action: 'set-aside',
      reason: error.message,
      paths: [],
      count: 0,
    }),
  );
  const rewritten = hurt.map((one) => hurtAction(one, replaced.get(one.snapshot.id)));
  const mendable = badManifests.filter(({ snapshot: { id } }) => manifests.has(id) || replaced.has(id));
  const withManifest = mendable.map(
    ({ snapshot, text }): SnapshotAction => ({
      ...named(snapshot),
      ...(replaced.has(snapshot.id) && { replacedBy: replaced.get(snapshot.id)! }),
      action: replaced.has(snapshot.id) ? 'set-aside' : 'rewrite',
      reason: text,
      paths: ['/.tidemark/manifest.json'],
      count: 1,
    }),
  );
  return [...unreadable, ...rewritten, ...withManifest];
}

function hurtAction({ snapshot, causes, count }: HurtSnapshot, by: string | undefined): SnapshotAction {
  const paths = [...causes.values()].flatMap((cause) => cause.paths);
  const common = { ...named(snapshot), paths: paths.slice(0, mostPaths), count };
  if (by !== undefined)
    return {
      ...common,
      action: 'set-aside',
      replacedBy: by,
      reason: 'the new snapshot in its place is written already',
    };
  if (paths.includes('/')) return { ...common, action: 'set-aside', reason: 'nothing of it can be read any more' };
  return { ...common, action: 'rewrite', reason: `${count} of its files and folders are lost` };
}

const mostPaths = 100;

function named({ id, backup, plan, time }: SnapshotFacts) {
  return { id, time, ...(backup !== undefined && { backup }), ...(plan !== undefined && { plan }) };
}
