import { hash } from 'node:crypto';
import { fromHex } from '../format/blob-id.ts';
import { type IndexDocument, type IndexedPack, readIndexDocument } from '../index-document.ts';
import { blobsPerIndex } from '../index-files.ts';
import type { SealedObjects } from '../objects.ts';
import type { IndexView } from './index-view.ts';

/** Index files smaller than this are put together when others are written anew. */
const smallBytes = 512 * 1024;
const fewestSmall = 8;

export interface IndexChange {
  readonly view: IndexView;
  /** By number: packs that the index is to forget. */
  readonly goes: (pack: number) => boolean;
  /** Index files that are none of our business: of backups that go on. */
  readonly untouched: ReadonlySet<string>;
}

/**
 * Writes index files without the packs that go, in place of those that name one. Gives the files that may be deleted then:
 * all that they say of other packs is in new ones, which are durable.
 */
export async function rewriteIndex(
  objects: SealedObjects,
  change: IndexChange,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const naming = change.view.filesNaming(change.goes);
  if (naming.size === 0) return [];
  const old = [...naming, ...(await smallFiles(objects, change, naming, signal))];
  const writer = new IndexWriter(objects, signal);
  for (const id of old) {
    const { packs } = await readIndexDocument(objects, id, signal);
    for (const pack of packs ?? []) {
      const number = change.view.index.packNumber(fromHex(pack.id));
      if (number === undefined || !change.goes(number)) await writer.add(pack);
    }
  }
  await writer.finish();
  return old;
}

/** Only of those that were read when it was decided what goes. */
async function smallFiles(
  objects: SealedObjects,
  { view, untouched }: IndexChange,
  besides: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const small: string[] = [];
  for await (const { id, sizeBytes } of objects.listSizes('index', signal)) {
    if (sizeBytes < smallBytes && view.files.has(id) && !besides.has(id) && !untouched.has(id)) small.push(id);
  }
  return small.length >= fewestSmall ? small : [];
}

/** Entries as they stand in the old files, in files of so many blobs. A pack that two files name alike is written once. */
class IndexWriter {
  readonly #objects: SealedObjects;
  readonly #signal: AbortSignal;
  readonly #written = new Set<string>();
  #packs: IndexedPack[] = [];
  #blobs = 0;

  constructor(objects: SealedObjects, signal: AbortSignal) {
    this.#objects = objects;
    this.#signal = signal;
  }

  async add(pack: IndexedPack): Promise<void> {
    const entry = `${pack.id} ${hash('sha256', JSON.stringify(pack.blobs ?? []), 'base64')}`;
    if (this.#written.has(entry)) return;
    this.#written.add(entry);
    this.#packs.push(pack);
    this.#blobs += pack.blobs?.length ?? 0;
    if (this.#blobs >= blobsPerIndex) await this.finish();
  }

  async finish(): Promise<void> {
    if (this.#packs.length === 0) return;
    const document: IndexDocument = { packs: this.#packs };
    this.#packs = [];
    this.#blobs = 0;
    await this.#objects.put('index', document, this.#signal);
  }
}
