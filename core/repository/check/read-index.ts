import { hasCode, type TidemarkError } from '../../error.ts';
import type { PackEntry } from '../format/pack.ts';
import { indexContent } from '../index-content.ts';
import { sealedIndexFiles } from '../index-files.ts';
import type { IndexContent } from '../index-scan.ts';
import type { SealedObjects } from '../objects.ts';

export interface IndexFile {
  readonly id: string;
  /** As the document has them; decoded one at a time, and only until the next file is asked for. */
  packs(): Iterable<IndexFilePack>;
}

export interface IndexFilePack {
  readonly id: Uint8Array;
  readonly blobs: readonly PackEntry[];
}

/** Every index file as it stands, some read ahead. `onDamaged` gets those that cannot be read. */
export async function* readIndexFiles(
  objects: SealedObjects,
  signal: AbortSignal,
  onDamaged: (error: TidemarkError, id: string) => void,
): AsyncGenerator<IndexFile> {
  for await (const { id, sealed } of sealedIndexFiles(objects, signal)) {
    using content = await sealed
      .then((object) => indexContent(objects, object))
      .catch((error) => {
        if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
        onDamaged(error, id);
        return undefined;
      });
    if (content !== undefined) yield indexFile(id, content);
  }
}

function indexFile(id: string, content: IndexContent): IndexFile {
  return {
    id,
    *packs() {
      for (const { id: pack, blobs } of content.packs()) yield { id: pack, blobs: Array.from(blobs, copyOf) };
    },
  };
}

function copyOf(entry: PackEntry): PackEntry {
  return { ...entry, id: new Uint8Array(entry.id) };
}
