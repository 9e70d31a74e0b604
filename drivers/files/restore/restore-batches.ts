import type { Content, Node } from '../../../core/driver/index.ts';
import { blobCount, emptyContent } from '../../../core/driver/index.ts';
import type { BatchWriter } from './batch-writer.ts';
import { type BatchFile, newBatch } from './restore-batch.ts';
import { type Entry, metadataOf } from './restore-task.ts';
import type { RestoreFolder } from './restore-walk.ts';

const batchFiles = 3_000;
const batchBlobs = 16_000;

export interface RestoreBatchesOptions {
  readonly writer: BatchWriter;
  /** Start of the names under which files are written until they are whole. */
  readonly temporaryPrefix: string;
  /** False for a folder whose owner, mode and times stay as they are. */
  readonly ownsMetadata: (folder: RestoreFolder) => boolean;
}

/** Gathers what is to be restored and has it written in batches, one while the next is gathered. */
export class RestoreBatches {
  readonly #options: RestoreBatchesOptions;
  readonly #made = new Set<RestoreFolder>();
  /** Of files of which further names are still to come. */
  readonly #firstNames = new Map<string, FirstName>();
  #batch = newBatch();
  #writing: Promise<void> = Promise.resolve();
  #nextId = 0;

  constructor(options: RestoreBatchesOptions) {
    this.#options = options;
  }

  enter(folder: RestoreFolder): void {
    if (folder.selected) this.#make(folder);
  }

  async leave(folder: RestoreFolder): Promise<void> {
    if (!this.#made.delete(folder)) return;
    if (this.#options.ownsMetadata(folder)) {
      this.#batch.finished.push({ path: folder.path, metadata: metadataOf(folder.node!) });
    }
    await this.#writeWhenFull();
  }

  async add(folder: RestoreFolder, node: Node): Promise<void> {
    this.#make(folder);
    if (node.type === 'file') this.#addFile(folder.path, node);
    else this.#batch.entries.push(entryOf(folder.path, node));
    await this.#writeWhenFull();
  }

  async end(): Promise<void> {
    await this.#startWriting();
    await this.#writing;
  }

  /** Waits for what is being written, however it ends: threads must not be closed under it. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  /** Folders above what is wanted are made when something below them is. */
  #make(folder: RestoreFolder): void {
    if (folder.up === undefined || this.#made.has(folder)) return;
    this.#make(folder.up);
    this.#made.add(folder);
    this.#batch.folders.push(folder.path);
  }

  #addFile(folder: string, node: Node): void {
    const content = node.content ?? emptyContent;
    const file = this.#fileOf(folder, node, content);
    const first = file.linked ? this.#firstName(folder, node, content) : undefined;
    if (first) {
      const link = { folder, name: node.name, toFolder: first.folder, toName: first.name };
      this.#batch.links.push({ link, file });
      return;
    }
    this.#batch.files.push(file);
    this.#batch.blobs += blobCount(content);
  }

  #fileOf(folder: string, node: Node, content: Content): BatchFile {
    const id = this.#nextId++;
    const task = {
      kind: 'file' as const,
      id,
      folder,
      name: node.name,
      temporary: `${this.#options.temporaryPrefix}-${id}`,
      sizeBytes: content.sizeBytes,
      shared: blobCount(content) > 1,
      metadata: metadataOf(node),
      verify: false,
    };
    return { task, content, linked: (node.links ?? 1) > 1 && node.inode !== undefined };
  }

  /** The name under which the same file is restored already, when it has several and the content is the same. */
  #firstName(folder: string, node: Node, content: Content): FirstName | undefined {
    const key = `${node.deviceId}:${node.inode}`;
    const first = this.#firstNames.get(key);
    if (first && Buffer.from(first.content.blobs).equals(content.blobs)) {
      first.linksLeft -= 1;
      if (first.linksLeft === 0) this.#firstNames.delete(key);
      return first;
    }
    this.#firstNames.set(key, { folder, name: node.name, content, linksLeft: node.links! - 1 });
    return undefined;
  }

  async #writeWhenFull(): Promise<void> {
    const { files, entries, links, finished, blobs } = this.#batch;
    const entriesInAll = files.length + entries.length + links.length + finished.length;
    if (entriesInAll >= batchFiles || blobs >= batchBlobs) await this.#startWriting();
  }

  async #startWriting(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    this.#batch = newBatch();
    this.#writing = this.#options.writer.write(batch);
    this.#writing.catch(() => {}); // awaited before the next batch and at the end
  }
}

interface FirstName {
  readonly folder: string;
  readonly name: string;
  readonly content: Content;
  linksLeft: number;
}

function entryOf(folder: string, node: Node): Entry {
  const { name, type, linkTarget, device } = node;
  return { folder, name, type, linkTarget, device, metadata: metadataOf(node) };
}
