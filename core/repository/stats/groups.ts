import { Bits } from '../bits.ts';
import { type BlobIndex, blobKey } from '../blob-index.ts';
import type { SnapshotFacts } from '../check/snapshot-list.ts';
import { fromHex } from '../format/blob-id.ts';
import type { RepositoryParts } from '../parts.ts';
import { TreeWalk } from '../walk/tree-walk.ts';
import type { TreeSizes } from './tree-sizes.ts';

/** What the backups of a plan, or of a type, need. */
export interface GroupUse {
  /** Left out for what other programs wrote. */
  readonly name?: string;
  /** So many further ones are counted here: there are very many. */
  readonly further?: number;
  readonly backups: number;
  /** Of the files in all of them, each as often as it is there. Left out where that is not known. */
  readonly logicalBytes?: number;
  /** Of the blobs that they need, each once, as they lie in packs: `uniqueBytes` and `sharedBytes` together. */
  readonly storedBytes: number;
  /** What no other one needs. */
  readonly uniqueBytes: number;
  readonly sharedBytes: number;
  /** False where something that they need cannot be had, and is not counted. */
  readonly isWhole: boolean;
}

/** The backups of one plan and type, and what they need by places of the index. */
export interface Group {
  readonly plan?: string;
  readonly type?: string;
  readonly further?: number;
  readonly snapshots: readonly SnapshotFacts[];
  readonly used: Bits;
  logicalBytes: number;
  /** Why something is not counted: the first reason. */
  damage?: string;
}

/** A bit a blob for each: of more the ones with the fewest backups are taken together. */
const mostGroups = 100;

export function groupsOf(snapshots: readonly SnapshotFacts[]): Group[] {
  const byName = Object.groupBy(snapshots, ({ plan = '', type = '' }) => `${plan} ${type}`);
  const all = Object.values(byName as Record<string, SnapshotFacts[]>).map(newGroup);
  const sorted = all.toSorted((a, b) => b.snapshots.length - a.snapshots.length);
  if (sorted.length <= mostGroups) return sorted;
  const [shown, others] = [sorted.slice(0, mostGroups - 1), sorted.slice(mostGroups - 1)];
  const together = newGroup(others.flatMap((group) => group.snapshots));
  return [...shown, { ...together, further: others.length - 1 }];
}

function newGroup(snapshots: readonly SnapshotFacts[]): Group {
  const [{ plan, type }] = snapshots as [SnapshotFacts];
  return {
    ...(plan !== undefined && { plan }),
    ...(type !== undefined && { type }),
    snapshots,
    used: new Bits(),
    logicalBytes: 0,
  };
}

/** Reads all trees of a group. What is damaged, or in no index, is not counted. */
export async function walkGroup(
  parts: RepositoryParts,
  group: Group,
  sizes: TreeSizes,
  signal: AbortSignal,
): Promise<void> {
  const { index } = parts;
  const damaged: number[] = [];
  const walk = new TreeWalk(parts, {
    signal,
    onTree: (place, names) => sizes.add(place, names),
    onDamage: ({ type, id, error }) => {
      group.damage ??= error.message;
      const place = index.placeOf(blobKey(type, fromHex(id)));
      if (place !== undefined) damaged.push(place);
    },
  });
  await walk.walk(group.snapshots.map(({ tree }) => tree));
  group.used.addAll(walk.used);
  for (const place of damaged) group.used.clear(place);
  for (const { tree } of group.snapshots) {
    const place = index.placeOf(blobKey('tree', fromHex(tree)));
    if (place !== undefined) group.logicalBytes += sizes.sizeOf(place);
  }
}

/** Takes what cannot be had out of what is counted. */
export function withoutGone(groups: readonly Group[], gone: readonly number[]): void {
  for (const group of groups) {
    for (const place of gone) {
      if (!group.used.has(place)) continue;
      group.used.clear(place);
      group.damage ??= 'what they need lies in packs that are gone or cut short';
    }
  }
}

/** By plan or by type: what each needs, and what of it no other one does. */
export function groupUses(index: BlobIndex, groups: readonly Group[], by: 'plan' | 'type'): GroupUse[] {
  const named = Object.groupBy(groups, ({ further, ...group }) => (further === undefined ? (group[by] ?? '') : ' '));
  const merged = Object.values(named as Record<string, Group[]>).map((some) => merge(some));
  const users = new Uint8Array(index.count);
  for (const { used } of merged) {
    for (let place = 0; place < index.count; place++) if (used.has(place) && users[place]! < 2) users[place]! += 1;
  }
  return merged.map((group) => useOf(index, group, by, (place) => users[place] === 1));
}

function merge(groups: readonly Group[]): Group {
  const used = new Bits();
  for (const group of groups) used.addAll(group.used);
  const damage = groups.find((group) => group.damage !== undefined)?.damage;
  return {
    ...groups[0]!,
    snapshots: groups.flatMap(({ snapshots }) => snapshots),
    used,
    logicalBytes: groups.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0),
    ...(damage !== undefined && { damage }),
  };
}

function useOf(index: BlobIndex, group: Group, by: 'plan' | 'type', isUnique: (place: number) => boolean): GroupUse {
  let [uniqueBytes, sharedBytes] = [0, 0];
  for (let place = 0; place < index.count; place++) {
    if (!group.used.has(place)) continue;
    if (isUnique(place)) uniqueBytes += index.lengthOf(place);
    else sharedBytes += index.lengthOf(place);
  }
  const { [by]: name, further, logicalBytes } = group;
  const isWhole = group.damage === undefined;
  return {
    ...(name !== undefined && { name }),
    ...(further !== undefined && { further }),
    backups: group.snapshots.length,
    ...(isWhole && { logicalBytes }),
    storedBytes: uniqueBytes + sharedBytes,
    uniqueBytes,
    sharedBytes,
    isWhole,
  };
}
