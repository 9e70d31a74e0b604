import { Bits } from '../bits.ts';
import { toHex } from '../format/blob-id.ts';
import type { RepositoryLock } from '../lock.ts';
import { packName } from '../pack-name.ts';
import type { RepositoryParts } from '../parts.ts';
import { type IndexChange, rewriteIndex } from './rewrite-index.ts';

/** What is to be deleted. */
export class Going {
  /** By number in the index. */
  readonly packs = new Bits();
  /** Ids of packs that no index names. */
  readonly orphans: Uint8Array[] = [];
}

/**
 * Takes the packs out of the index: new index files first, and only when they are durable and the locks are still there
 * (`confirm`) the old ones go. Until then nobody sees a difference; from then on nobody finds the packs.
 */
export async function unindex(
  { objects }: Pick<RepositoryParts, 'objects'>,
  change: IndexChange,
  confirm: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const old = await rewriteIndex(objects, change, signal);
  if (old.length === 0) return;
  await confirm();
  await objects.delete('index', old, signal);
  change.view.forget(old);
}

const deletedAtOnce = 200;

/**
 * Deletes packs that no index names any more. Each time the lock is looked for: without it, somebody may be making an
 * index that has them. Gives how many.
 */
export async function deletePacks(
  { store, index }: Pick<RepositoryParts, 'store' | 'index'>,
  lock: RepositoryLock,
  going: Going,
  signal: AbortSignal,
): Promise<number> {
  const names = going.orphans.map((id) => packName(toHex(id)));
  for (let pack = 0; pack < index.packCount; pack++) {
    if (going.packs.has(pack)) names.push(packName(toHex(index.packId(pack))));
  }
  for (let at = 0; at < names.length; at += deletedAtOnce) {
    await lock.confirm();
    await store.delete(names.slice(at, at + deletedAtOnce), signal);
  }
  return names.length;
}
