import type { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { toHex } from '../format/blob-id.ts';
import { mayWrite } from '../lock-document.ts';
import { wasteBytes } from '../prune/decide.ts';
import { type Marks, markedPacks, marksIn } from '../prune/marks.ts';
import { PackUse, type StoredPacks } from '../prune/pack-use.ts';
import type { LockFacts } from '../unlock.ts';

/** What no backup needs: what a prune may free, all of it when it leaves no waste in packs. */
export interface Waste {
  readonly bytes: number;
  /** Of it, in packs that nothing needs any more, and that are deleted without writing anything anew. */
  readonly wholePacks: { readonly count: number; readonly bytes: number };
  /** Of it, in packs that a prune has marked, and that wait for the end of their time. */
  readonly markedBytes: number;
  /** Of it, in packs that no index names. */
  readonly unindexedBytes: number;
  /** Somebody writes: what he has stored so far is counted, too. */
  readonly isWritten: boolean;
}

/** `used`: of the first places of blobs, none of which is lost. */
export function wasteOf(
  index: BlobIndex,
  used: Bits,
  { sizes, orphans, orphanSizes }: StoredPacks,
  marks: Marks,
  locks: readonly LockFacts[],
): Waste {
  const marked = marksIn(index, marks.marks);
  const use = new PackUse(index, used, sizes, (pack) => marked.has(pack));
  const total = { bytes: 0, markedBytes: 0, unindexedBytes: 0 };
  const wholePacks = { count: 0, bytes: 0 };
  const add = (bytes: number, isWhole: boolean, isMarked: boolean) => {
    total.bytes += bytes;
    if (isMarked) total.markedBytes += bytes;
    if (!isWhole) return;
    wholePacks.count += 1;
    wholePacks.bytes += bytes;
  };
  for (let pack = 0; pack < index.packCount; pack++) {
    const isWhole = use.usedBlobs[pack] === 0;
    const unused = isWhole ? sizes[pack]! : wasteBytes(pack, use, sizes);
    if (unused > 0) add(unused, isWhole, marked.has(pack));
  }
  const markedIds = markedPacks(marks);
  for (const [orphan, bytes] of orphanSizes.entries()) {
    total.unindexedBytes += bytes;
    add(bytes, true, markedIds.has(toHex(orphans.idOf(orphan))));
  }
  return { ...total, wholePacks, isWritten: locks.some(({ state, by }) => state === 'held' && mayWrite(by)) };
}
