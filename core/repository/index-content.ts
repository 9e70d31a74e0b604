import { fromHex } from './format/blob-id.ts';
import type { BlobType, PackEntry } from './format/pack.ts';
import { release } from './format/release.ts';
import { type IndexContent, scanIndex } from './index-scan.ts';
import type { SealedObject, SealedObjects } from './objects.ts';

/** An index document of restic's format: which blobs lie where in which packs. */
export interface IndexDocument {
  readonly packs: readonly IndexedPack[] | null;
  /** The lock under which a backup of ours wrote it; restic passes over it. */
  readonly holder?: string;
}

export interface IndexedPack {
  readonly id: string;
  readonly blobs: readonly StoredBlob[] | null;
}

interface StoredBlob {
  readonly id: string;
  readonly type: BlobType;
  readonly offset: number;
  readonly length: number;
  readonly uncompressed_length?: number;
}

/** The content of a sealed index file, whose bytes are given back with that. Throws REPOSITORY_CORRUPT. */
export function indexContent(objects: SealedObjects, sealed: SealedObject): IndexContent {
  const text = objects.openText('index', sealed);
  release(sealed.bytes.buffer);
  const content = scanIndex(text) ?? contentOf(objects.parseText('index', sealed.id, text) as IndexDocument);
  release(text.buffer);
  return content;
}

export function contentOf({ packs, holder }: IndexDocument): IndexContent {
  const all = packs ?? [];
  return {
    holder,
    *packs() {
      for (const { id, blobs } of all) yield { id: fromHex(id), blobs: (blobs ?? []).map(toEntry) };
    },
    [Symbol.dispose]() {},
  };
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
