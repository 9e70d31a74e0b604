import type { ObjectInfo, Store } from '../driver/index.ts';
import { isHexId } from './format/blob-id.ts';
import { packFolder, packName } from './pack-name.ts';

/** A pack file, by the id in hex that its base name says. */
export interface PackFile extends ObjectInfo {
  readonly id: string;
}

/**
 * The packs of a store, or of one folder of them. One is there only under its own name: what lies in another folder nobody reads, neither does
 * restic. `onMisplaced` is told of those.
 */
export async function* listPacks(
  store: Store,
  signal: AbortSignal,
  onMisplaced: (file: PackFile) => void = () => {},
  folder = packFolder,
): AsyncGenerator<PackFile> {
  for await (const { name, sizeBytes } of store.list(folder, signal)) {
    const id = name.slice(name.lastIndexOf('/') + 1);
    if (!isHexId(id)) continue;
    if (name === packName(id)) yield { id, name, sizeBytes };
    else onMisplaced({ id, name, sizeBytes });
  }
}
