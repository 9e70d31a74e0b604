import type { PackUse } from './pack-use.ts';
import type { PruneResult } from './summary.ts';

/** A blob's entry in its pack and in an index file, and what marks and index files take at least. */
const bytesBesideBlob = 200;
const spareBytes = 128 * 1024;

/** What is needed to write anew what these packs hold that is used, where there is less; otherwise undefined. */
export function roomLacking(use: PackUse, packs: readonly number[], freeBytes: number): PruneResult['lacksRoom'] {
  const copyBytes = packs.reduce((sum, pack) => sum + use.usedBytes[pack]! + bytesBesideBlob * use.usedBlobs[pack]!, 0);
  const neededBytes = copyBytes + spareBytes;
  return copyBytes === 0 || freeBytes >= neededBytes ? undefined : { neededBytes, freeBytes };
}
