import type { Store } from '../driver/index.ts';
import type { BlobIndex } from './blob-index.ts';
import { toHex } from './format/blob-id.ts';
import { lengthBytes } from './format/pack.ts';
import { listPacks } from './list-packs.ts';

/**
 * The packs, by their ids in hex, that the index names and that are gone from the store or too short for the blobs that
 * they should hold. Asked before a backup is made: it would rely on them. The index must have been read before this is
 * called: packs are durable before an index names them, so what it names and the listing lacks is lost.
 */
export async function findLostPacks(store: Store, index: BlobIndex, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const lost = new Map<string, number>();
  for (const { pack, endBytes } of index.packEnds()) {
    const id = toHex(pack); // named by two index files, it is in the table twice, and has its blobs once
    lost.set(id, Math.max(lost.get(id) ?? 0, endBytes));
  }
  if (lost.size === 0) return new Set();
  for await (const { id, sizeBytes } of listPacks(store, signal)) {
    const endBytes = lost.get(id);
    if (endBytes !== undefined && sizeBytes >= endBytes + lengthBytes) lost.delete(id);
  }
  return new Set(lost.keys());
}

/** For people, on the backup that found it out. */
export function lostPackWarnings(lost: ReadonlySet<string>): string[] {
  if (lost.size === 0) return [];
  const [first] = lost;
  const which = lost.size === 1 ? `pack ${first!.slice(0, 8)} is` : `${lost.size} packs (${first!.slice(0, 8)}, …) are`;
  return [
    `${which} gone from the repository or cut short: new backups rely on none of that, older ones may lack files; \`tidemark repository check\` names them, and \`tidemark repository repair\` makes the index forget what is gone, before which stock restic may look for new backups there, too`,
  ];
}
