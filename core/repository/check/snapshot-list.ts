import { hasCode, type TidemarkError } from '../../error.ts';
import type { BlobReading } from '../blob-reading.ts';
import { manifestMisfit, readManifest } from '../manifest.ts';
import type { SealedObjects } from '../objects.ts';
import { readSnapshot, type Snapshot, taggedBackup } from '../snapshots.ts';

/** A backup as the repository tells of it. */
export interface SnapshotFacts {
  readonly id: string;
  readonly tree: string;
  readonly time: string;
  /** Tidemark's id of the backup, its plan and its type, by the tags; absent in what other programs wrote. */
  readonly backup?: string;
  readonly plan?: string;
  readonly type?: string;
  /** The snapshot that this one was put in the place of, because it was hurt; not one that somebody kept beside it. */
  readonly replaces?: string;
}

export interface BadSnapshot {
  readonly id: string;
  readonly error: TidemarkError;
}

export interface SnapshotList {
  readonly snapshots: readonly SnapshotFacts[];
  /** Those that are there and cannot be read. */
  readonly bad: readonly BadSnapshot[];
}

export async function listSnapshots(objects: SealedObjects, signal: AbortSignal): Promise<SnapshotList> {
  const list = { snapshots: [] as SnapshotFacts[], bad: [] as BadSnapshot[] };
  for await (const id of objects.list('snapshots', signal)) {
    try {
      list.snapshots.push(snapshotFacts(await readSnapshot(objects, id, signal)));
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) continue; // it was removed after it was listed
      if (!hasCode(error, 'REPOSITORY_CORRUPT', 'DESTINATION_DENIED')) throw error;
      list.bad.push({ id, error });
    }
  }
  list.snapshots.sort((a, b) => (a.time < b.time ? -1 : 1));
  return list;
}

export function snapshotFacts({ id, tree, time, tags, original, replaces }: Snapshot): SnapshotFacts {
  const repaired = tags.includes('repaired') ? (replaces ?? original) : undefined; // restic's repair says it by the tag
  const facts = { id, tree, time, ...(repaired !== undefined && { replaces: repaired }) };
  return { ...facts, ...taggedBackup({ tags }) };
}

/**
 * What is wrong with the manifest of a backup of tidemark's, whose blobs can be had; undefined when it is good, or when the
 * snapshot is not tidemark's.
 */
export async function manifestDamage(blobs: BlobReading, snapshot: SnapshotFacts): Promise<string | undefined> {
  if (snapshot.backup === undefined) return undefined;
  try {
    return manifestMisfit(await readManifest(blobs, snapshot.tree), snapshot);
  } catch (error) {
    if (hasCode(error, 'UNSUPPORTED')) return undefined; // a newer version wrote it
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return error.message;
  }
}
