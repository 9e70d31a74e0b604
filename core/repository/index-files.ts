import { hasCode, type TidemarkError } from '../error.ts';
import { BlobIndex } from './blob-index.ts';
import { fromHex, toHex } from './format/blob-id.ts';
import { type BlobType, decodeHeader, type FinishedPack, type PackEntry } from './format/pack.ts';
import type { SealedObjects } from './objects.ts';

/** An index document of restic's format: which blobs lie where in which packs. */
interface IndexDocument {
  readonly packs: readonly { readonly id: string; readonly blobs: readonly StoredBlob[] }[] | null;
}

interface StoredBlob {
  readonly id: string;
  readonly type: BlobType;
  readonly offset: number;
  readonly length: number;
  readonly uncompressed_length?: number;
}

const readAhead = 4;

export interface IndexOptions {
  /** Gets the index files that cannot be read; without it the first one throws. */
  readonly onDamaged?: (error: TidemarkError) => void;
  /** Ids in hex of packs whose blobs count as not stored. */
  readonly without?: ReadonlySet<string>;
}

/** Reads every index file of the repository into one table. */
export async function loadIndex(
  objects: SealedObjects,
  signal?: AbortSignal,
  { onDamaged, without = new Set() }: IndexOptions = {},
): Promise<BlobIndex> {
  const index = new BlobIndex();
  const reading: Promise<unknown>[] = [];
  const add = async (document: Promise<unknown>) => {
    try {
      addDocument(index, await document, without);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT') || onDamaged === undefined) throw error;
      onDamaged(error);
    }
  };
  for await (const id of objects.list('index', signal)) {
    const document = objects.get('index', id, signal);
    document.catch(() => {}); // it is awaited below, perhaps after another one failed
    reading.push(document);
    if (reading.length >= readAhead) await add(reading.shift()!);
  }
  for (const document of reading) await add(document);
  return index;
}

function addDocument(index: BlobIndex, document: unknown, without: ReadonlySet<string>): void {
  for (const pack of (document as IndexDocument).packs ?? []) {
    if (!without.has(pack.id)) index.addPack(fromHex(pack.id), pack.blobs.map(toEntry));
  }
}

function toEntry(blob: StoredBlob): PackEntry {
  return {
    type: blob.type,
    id: fromHex(blob.id),
    offset: blob.offset,
    length: blob.length,
    plainBytes: blob.uncompressed_length || undefined,
  };
}

/** Stores an index file for these packs. */
export async function writeIndex(
  objects: SealedObjects,
  packs: readonly Pick<FinishedPack, 'id' | 'header'>[],
  signal: AbortSignal,
): Promise<void> {
  const document: IndexDocument = {
    packs: packs.map((pack) => ({ id: toHex(pack.id), blobs: decodeHeader(pack.header).map(toStored) })),
  };
  await objects.put('index', document, signal);
}

function toStored(entry: PackEntry): StoredBlob {
  const { type, offset, length, plainBytes } = entry;
  return {
    id: toHex(entry.id),
    type,
    offset,
    length,
    ...(plainBytes !== undefined && { uncompressed_length: plainBytes }),
  };
}
