import { hasCode, type TidemarkError } from '../../error.ts';
import { fromHex } from '../format/blob-id.ts';
import type { PackEntry } from '../format/pack.ts';
import { type IndexDocument, toEntry } from '../index-files.ts';
import type { SealedObjects } from '../objects.ts';

export interface IndexFile {
  readonly id: string;
  readonly document: IndexDocument;
  /** As the document has them; decoded one at a time. */
  packs(): Iterable<IndexFilePack>;
}

export interface IndexFilePack {
  readonly id: Uint8Array;
  readonly blobs: readonly PackEntry[];
}

const readAhead = 4;

/** Every index file as it stands, some read ahead. `onDamaged` gets those that cannot be read. */
export async function* readIndexFiles(
  objects: SealedObjects,
  signal: AbortSignal,
  onDamaged: (error: TidemarkError, id: string) => void,
): AsyncGenerator<IndexFile> {
  const reading: { id: string; document: Promise<unknown> }[] = [];
  const next = async () => {
    const { id, document } = reading.shift()!;
    try {
      return [indexFile(id, (await document) as IndexDocument)];
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      onDamaged(error, id);
      return [];
    }
  };
  for await (const id of objects.list('index', signal)) {
    const document = objects.get('index', id, signal);
    document.catch(() => {}); // it is awaited below, perhaps after another one failed
    reading.push({ id, document });
    if (reading.length >= readAhead) yield* await next();
  }
  while (reading.length > 0) yield* await next();
}

function indexFile(id: string, document: IndexDocument): IndexFile {
  return {
    id,
    document,
    *packs() {
      for (const pack of document.packs ?? []) yield { id: fromHex(pack.id), blobs: (pack.blobs ?? []).map(toEntry) };
    },
  };
}
