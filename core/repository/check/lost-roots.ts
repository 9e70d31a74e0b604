import type { Manifest } from '../../driver/index.ts';
import { manifestFolder } from '../../driver/index.ts';
import { hasCode } from '../../error.ts';
import type { BlobIndex } from '../blob-index.ts';
import type { BlobReading } from '../blob-reading.ts';
import { toHex } from '../format/blob-id.ts';
import { readManifest } from '../manifest.ts';

/** A backup of tidemark's whose tree is there; that it has no snapshot may be meant. */
export type LostRoot = Pick<Manifest, 'id' | 'plan' | 'consistentPoint'>;

/**
 * The backups of a repository without snapshots, by the manifests in it: one may have been deleted, or cut off, or be lost,
 * which nothing tells. Reads all trees. What cannot be read is passed over, and what restic made has no manifest.
 */
export async function lostRoots(blobs: BlobReading, index: BlobIndex): Promise<readonly LostRoot[]> {
  const roots = new Map<string, LostRoot>();
  for (let place = 0; place < index.count; place++) {
    if (!index.isTree(place)) continue;
    const manifest = await manifestIn(blobs, toHex(index.locationOf(place).id));
    if (manifest === undefined) continue;
    const { id, plan, consistentPoint } = manifest;
    roots.set(id, { id, plan, consistentPoint });
  }
  return [...roots.values()].sort((a, b) => (a.consistentPoint.time < b.consistentPoint.time ? -1 : 1));
}

async function manifestIn(blobs: BlobReading, tree: string): Promise<Manifest | undefined> {
  try {
    const isRoot = (await blobs.tree(tree)).some(({ name }) => name === manifestFolder);
    return isRoot ? await readManifest(blobs, tree) : undefined;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT', 'OBJECT_NOT_FOUND', 'UNSUPPORTED')) throw error;
    return undefined;
  }
}
