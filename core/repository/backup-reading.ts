import type { BackupReader, Content, Manifest, Node, RestoreThreads, SealedTree } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import { BlobReading } from './blob-reading.ts';
import { ifCorrupt } from './format/damage.ts';
import { foreignManifest, isOurId, isTimeOf, manifestMisfit, readManifest } from './manifest.ts';
import type { RepositoryParts, WorkOptions } from './parts.ts';
import { ReadingThreads } from './reading-threads.ts';
import type { Salvage } from './salvage.ts';
import { type Snapshot, taggedBackup } from './snapshots.ts';
import { ThreadPool } from './threads/thread-pool.ts';

/** One backup, open for reading. Dispose it: that ends its threads. */
export class BackupReading implements BackupReader, AsyncDisposable {
  readonly rootTree: string;
  readonly manifest: Manifest;
  /** Tidemark did not write it: the manifest is made up of what the snapshot says. */
  readonly isForeign: boolean;
  /** Why the manifest cannot be read; `manifest` is made up then too. */
  readonly manifestDamage: TidemarkError | undefined;
  /** What is damaged in the repository and costs this backup nothing; grows while it is read. */
  readonly warnings: readonly string[];
  readonly #parts: RepositoryParts;
  readonly #options: WorkOptions;
  readonly #blobs: BlobReading;
  readonly #pools: AsyncDisposable[] = [];

  private constructor(
    parts: RepositoryParts,
    blobs: BlobReading,
    snapshot: Snapshot,
    own: Manifest | TidemarkError | undefined,
    options: WorkOptions,
    warnings: readonly string[] = [],
  ) {
    this.warnings = warnings;
    this.rootTree = snapshot.tree;
    this.manifestDamage = own instanceof TidemarkError ? own : undefined;
    this.manifest = own === undefined || own instanceof TidemarkError ? foreignManifest(snapshot) : own;
    this.isForeign = own === undefined;
    this.#parts = parts;
    this.#options = options;
    this.#blobs = blobs;
  }

  /** Throws REPOSITORY_CORRUPT when the manifest cannot be read. */
  static async open(parts: RepositoryParts, snapshot: Snapshot, options: WorkOptions): Promise<BackupReading> {
    const blobs = new BlobReading(parts, options.signal);
    return new BackupReading(parts, blobs, snapshot, await ownManifest(blobs, snapshot), options);
  }

  /**
   * Opens a backup of which something may be damaged, to bring back what is left. Without a readable manifest it is
   * taken for a tree of files, as a snapshot of another program is.
   */
  static async salvage(
    parts: RepositoryParts,
    salvage: Salvage,
    snapshot: Snapshot,
    options: WorkOptions,
  ): Promise<BackupReading> {
    const blobs = new BlobReading(parts, options.signal, () => salvage.findLost());
    const own = await ownManifest(blobs, snapshot).catch((error) => ifCorrupt(error, (damage) => damage));
    return new BackupReading(parts, blobs, snapshot, own, options, salvage.warnings);
  }

  tree(id: string): Promise<readonly Node[]> {
    return this.#blobs.tree(id);
  }

  encodedTree(id: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#blobs.encodedTree(id);
  }

  sealedTree(id: string): Promise<SealedTree> {
    return this.#blobs.sealedTree(id);
  }

  read(content: Content): AsyncIterable<Uint8Array> {
    return this.#blobs.read(content);
  }

  async threads<Setup, Task, Result>(module: string, setup: Setup): Promise<RestoreThreads<Task, Result>> {
    const { progress, signal, threads } = this.#options;
    const pool = await ThreadPool.start<Task, Result>({
      count: threads,
      module,
      setup,
      key: this.#parts.key,
      reading: { fetch: (ids, place) => this.#blobs.fetcher.run('data', ids, signal, place) },
      progress: (done) => progress.add(done),
      signal,
    });
    this.#pools.push(pool);
    return new ReadingThreads(pool, this.#blobs.fetcher, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pools.map((pool) => pool[Symbol.asyncDispose]()));
  }
}

/**
 * Undefined for a snapshot of another program, be it of a folder that was restored with its manifest in it: who took our tags
 * away with restic left the time as it was. Throws REPOSITORY_CORRUPT, also where it is not that of this backup.
 */
async function ownManifest(blobs: BlobReading, snapshot: Snapshot): Promise<Manifest | undefined> {
  const manifest = await readManifest(blobs, snapshot.tree);
  const { backup } = taggedBackup(snapshot);
  const misfit = manifestMisfit(manifest, { backup, time: snapshot.time });
  if (misfit !== undefined) throw new TidemarkError('REPOSITORY_CORRUPT', misfit);
  const isOurs =
    backup !== undefined || (manifest !== undefined && isOurId(manifest.id) && isTimeOf(manifest, snapshot.time));
  return isOurs ? manifest : undefined;
}
