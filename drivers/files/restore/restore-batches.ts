import type { BackupReader, Content, DataThreads, Node } from '../../../core/driver/index.ts';
import { emptyContent } from '../../../core/driver/index.ts';
import {
  type Entry,
  type FileTask,
  type HardLink,
  type Metadata,
  metadataOf,
  type RestoreReport,
  type RestoreTask,
} from './restore-task.ts';
import type { RestoreFolder } from './restore-walk.ts';

const batchFiles = 3_000;
const batchBlobs = 16_000;

interface Batch {
  /** Parents before children. */
  readonly folders: string[];
  readonly files: { task: FileTask; content: Content }[];
  readonly entries: Entry[];
  readonly links: HardLink[];
  /** Folders that get nothing more, children before parents. */
  readonly finished: { path: string; metadata: Metadata }[];
  blobs: number;
}

export interface RestoreBatchesOptions {
  readonly backup: BackupReader;
  readonly threads: DataThreads<RestoreTask, RestoreReport>;
  readonly verify: boolean;
  /** Start of the names under which files are written until they are whole; absent: their own names. */
  readonly temporaryPrefix?: string;
  readonly onReport: (report: RestoreReport) => void;
  /** False for a folder whose owner, mode and times stay as they are. */
  readonly ownsMetadata: (folder: RestoreFolder) => boolean;
}

/** Gathers what is to be restored and writes it in batches, one while the next is gathered. */
export class RestoreBatches {
  readonly #options: RestoreBatchesOptions;
  readonly #made = new Set<RestoreFolder>();
  readonly #firstNames = new Map<string, { folder: string; name: string; content: Content }>();
  #batch = newBatch();
  #writing: Promise<void> = Promise.resolve();
  #nextId = 0;
  items = 0;
  bytes = 0;

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
    this.items += 1;
    await this.#writeWhenFull();
  }

  async add(folder: RestoreFolder, node: Node): Promise<void> {
    this.#make(folder);
    this.items += 1;
    if (node.type === 'file') this.#addFile(folder.path, node);
    else this.#batch.entries.push(entryOf(folder.path, node));
    await this.#writeWhenFull();
  }

  async end(): Promise<void> {
    await this.#startWriting();
    await this.#writing;
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
    this.bytes += content.sizeBytes;
    const first = this.#firstName(folder, node, content);
    if (first) {
      this.#batch.links.push({ folder, name: node.name, toFolder: first.folder, toName: first.name });
      return;
    }
    const id = this.#nextId++;
    const task: FileTask = {
      kind: 'file',
      id,
      folder,
      name: node.name,
      temporary: this.#options.temporaryPrefix && `${this.#options.temporaryPrefix}-${id}`,
      sizeBytes: content.sizeBytes,
      shared: content.blobs.length > 32,
      metadata: metadataOf(node),
      verify: false,
    };
    this.#batch.files.push({ task, content });
    this.#batch.blobs += content.blobs.length / 32;
  }

  /** The name under which the same file is restored already, when it has several and the content is the same. */
  #firstName(folder: string, node: Node, content: Content) {
    if ((node.links ?? 1) < 2 || !node.inode) return undefined;
    const key = `${node.deviceId}:${node.inode}`;
    const first = this.#firstNames.get(key);
    if (first && Buffer.from(first.content.blobs).equals(content.blobs)) return first;
    this.#firstNames.set(key, { folder, name: node.name, content });
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
    this.#writing = this.#write(batch);
    this.#writing.catch(() => {}); // awaited before the next batch and at the end
  }

  async #write(batch: Batch): Promise<void> {
    const { backup, threads, verify } = this.#options;
    await this.#run({ kind: 'folders', paths: batch.folders });
    await Promise.all(halves(batch.entries, threads.count).map((entries) => this.#run({ kind: 'entries', entries })));
    await backup.scatter(batch.files, threads);
    if (verify) {
      await backup.scatter(
        batch.files.map(({ task, content }) => ({ task: { ...task, verify: true }, content })),
        threads,
      );
    }
    await this.#run({ kind: 'links', links: batch.links });
    await this.#run({ kind: 'folder-metadata', folders: batch.finished });
    for (let thread = 0; thread < threads.count; thread++) {
      this.#options.onReport(await threads.runOn(thread, { kind: 'report' }));
    }
  }

  async #run(task: RestoreTask): Promise<void> {
    this.#options.onReport(await this.#options.threads.run(task));
  }
}

function newBatch(): Batch {
  return { folders: [], files: [], entries: [], links: [], finished: [], blobs: 0 };
}

function entryOf(folder: string, node: Node): Entry {
  const { name, type, linkTarget, device } = node;
  return { folder, name, type, linkTarget, device, metadata: metadataOf(node) };
}

function halves<T>(items: readonly T[], parts: number): T[][] {
  const size = Math.ceil(items.length / parts);
  const pieces = Array.from({ length: parts }, (_, part) => items.slice(part * size, (part + 1) * size));
  return pieces.filter((piece) => piece.length > 0);
}
