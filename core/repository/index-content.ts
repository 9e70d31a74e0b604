import { fromHex } from './format/blob-id.ts';
import type { PackEntry } from './format/pack.ts';
import { release } from './format/release.ts';
import { checkedIndex, type IndexDocument, type StoredBlob } from './index-document.ts';
import { type IndexContent, scanIndex } from './index-scan.ts';
import type { SealedObject, SealedObjects } from './objects.ts';

/** The content of a sealed index file, whose bytes are given back with that. Throws REPOSITORY_CORRUPT. */
export function indexContent(objects: SealedObjects, sealed: SealedObject): IndexContent {
  const text = objects.openText('index', sealed);
  release(sealed.bytes.buffer);
  const content = scanIndex(text) ?? contentOf(checkedIndex(objects.parseText('index', sealed.id, text), sealed.id));
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
