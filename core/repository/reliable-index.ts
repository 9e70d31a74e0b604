import type { Store } from '../driver/index.ts';
import type { BlobIndex } from './blob-index.ts';
import { loadIndex } from './index-files.ts';
import { findLostPacks } from './lost-packs.ts';
import type { SealedObjects } from './objects.ts';
import { loadUnmarked } from './prune/marks.ts';

/** An index, and the packs, by their ids in hex, that it lacks because they are gone or cut short. */
export interface ReliableIndex {
  readonly index: BlobIndex;
  readonly lost: ReadonlySet<string>;
}

/**
 * For who writes, and for the parent that he reads: a folder that is taken over as it is brings all that it names. Without
 * packs that are marked, lost or `distrusted`. To be called when the lock is there, see `RepositoryLock.hold`.
 */
export async function loadReliable(
  store: Store,
  objects: SealedObjects,
  distrusted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReliableIndex> {
  const { index, marked } = await loadUnmarked(objects, signal);
  const lost = await findLostPacks(store, index, signal);
  const without = lost.union(marked).union(distrusted);
  if (without.size === marked.size) return { index, lost };
  return { index: await loadIndex(objects, signal, { without }), lost };
}
