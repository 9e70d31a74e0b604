import type { BackupReader, Content, DataThreads, Manifest, Node } from '../driver/index.ts';
import { BlobReading } from './blob-reading.ts';
import { foreignManifest, readManifest } from './manifest.ts';
import type { RepositoryParts, WorkOptions } from './parts.ts';
import { scatter } from './scatter.ts';
import type { Snapshot } from './snapshots.ts';
import { ThreadPool } from './threads/thread-pool.ts';

/** One backup, open for reading. Dispose it: that ends its threads. */
export class BackupReading implements BackupReader, AsyncDisposable {
  readonly rootTree: string;
  readonly manifest: Manifest;
  /** Tidemark did not write it: the manifest is made up of what the snapshot says. */
  readonly isForeign: boolean;
  readonly #parts: RepositoryParts;
  readonly #options: WorkOptions;
  readonly #blobs: BlobReading;
  readonly #pools: AsyncDisposable[] = [];

  private constructor(
    parts: RepositoryParts,
    blobs: BlobReading,
    snapshot: Snapshot,
    own: Manifest | undefined,
    options: WorkOptions,
  ) {
    this.rootTree = snapshot.tree;
    this.manifest = own ?? foreignManifest(snapshot);
    this.isForeign = own === undefined;
    this.#parts = parts;
    this.#options = options;
    this.#blobs = blobs;
  }

  static async open(parts: RepositoryParts, snapshot: Snapshot, options: WorkOptions): Promise<BackupReading> {
    const blobs = new BlobReading(parts, options.signal);
    return new BackupReading(parts, blobs, snapshot, await readManifest(blobs, snapshot.tree), options);
  }

  tree(id: string): Promise<readonly Node[]> {
    return this.#blobs.tree(id);
  }

  encodedTree(id: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#blobs.encodedTree(id);
  }

  read(content: Content): AsyncIterable<Uint8Array> {
    return this.#blobs.read(content);
  }

  async threads<Setup, Task, Result>(module: string, setup: Setup): Promise<DataThreads<Task, Result>> {
    const { progress, signal, threads } = this.#options;
    const pool = await ThreadPool.start<Task, Result>({
      count: threads,
      module,
      setup,
      key: this.#parts.key,
      fetch: (ids) => this.#blobs.fetcher.run('data', ids, signal),
      progress: (done) => progress.add(done),
      signal,
    });
    this.#pools.push(pool);
    return pool;
  }

  async scatter<Task>(
    files: readonly { task: Task; content: Content }[],
    threads: DataThreads<Task, unknown>,
  ): Promise<void> {
    await scatter(this.#blobs.fetcher, files, threads as ThreadPool<Task, unknown>, this.#options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pools.map((pool) => pool[Symbol.asyncDispose]()));
  }
}
