import type { BackupSink, Content, DataThreads, EncodedNodes, Node } from '../driver/index.ts';
import { emptyContent } from '../driver/index.ts';
import { blobKey } from './blob-index.ts';
import { idOf, toHex } from './format/blob-id.ts';
import { type FinishedPack, PackBuilder } from './format/pack.ts';
import { Sealer } from './format/sealer.ts';
import { encodeNodes, fillSubtrees } from './format/tree.ts';
import type { RepositoryLock } from './lock.ts';
import { NewBlobs } from './new-blobs.ts';
import { PackUploads } from './pack-uploads.ts';
import type { RepositoryParts, WorkOptions } from './parts.ts';
import { type NewSnapshot, writeSnapshot } from './snapshots.ts';
import { contentWriter } from './threads/content-writer.ts';
import { ThreadPool } from './threads/thread-pool.ts';

interface WritingParts extends RepositoryParts {
  readonly lock: RepositoryLock;
}

/**
 * One backup on its way into the repository. Nothing of it is visible until `commit` has written the snapshot, which
 * it does after all packs and indexes are durable. Dispose it in any case: that ends its threads.
 */
export class BackupWriting implements BackupSink, AsyncDisposable {
  /** What is wrong with the repository that is written to; it does not touch this backup. */
  readonly warnings: readonly string[];
  readonly #parts: WritingParts;
  readonly #options: WorkOptions;
  readonly #newBlobs = new NewBlobs();
  readonly #uploads: PackUploads;
  readonly #builders: Readonly<Record<'data' | 'tree', PackBuilder>>;
  readonly #pools: ThreadPool<never, unknown>[] = [];
  readonly #treesAgain: boolean;
  /** Why a blob that counts as stored is not. */
  #failure: { error: unknown } | undefined;

  /** `treesAgain`: relies on no folder that the repository has. */
  constructor(parts: WritingParts, options: WorkOptions, warnings: readonly string[] = [], treesAgain = false) {
    this.warnings = warnings;
    this.#treesAgain = treesAgain;
    this.#parts = parts;
    this.#options = options;
    this.#uploads = new PackUploads(parts.store, parts.objects, options.signal, parts.lock.holder);
    const sealer = new Sealer(parts.key);
    this.#builders = { data: new PackBuilder('data', sealer), tree: new PackBuilder('tree', sealer) };
  }

  /** Bytes added to the repository so far. */
  get addedBytes(): number {
    return this.#uploads.addedBytes;
  }

  async threads<Setup, Task, Result>(
    module: string,
    setup: Setup,
    { nextAfterMs }: { readonly nextAfterMs?: number } = {},
  ): Promise<DataThreads<Task, Result>> {
    const { index, key } = this.#parts;
    const pool = await ThreadPool.start<Task, Result>({
      count: this.#options.threads,
      nextAfterMs,
      module,
      setup,
      key,
      writing: {
        index: index.share(),
        newBlobs: this.#newBlobs.memory,
        store: (pack) => this.#upload(pack),
      },
      progress: (done) => this.#options.progress.add(done),
      signal: this.#options.signal,
    });
    this.#pools.push(pool);
    return pool;
  }

  async content(bytes: Uint8Array): Promise<Content> {
    if (bytes.length === 0) return emptyContent;
    const found: { id: Uint8Array; blob: Uint8Array }[] = [];
    const writer = contentWriter({ by: 'content' }, (blob) => {
      const id = idOf(blob);
      found.push({ id, blob: Buffer.from(blob) });
      return id;
    });
    writer.write(bytes);
    const content = writer.end();
    for (const { id, blob } of found) await this.#store('data', id, blob);
    return content;
  }

  async tree(nodes: readonly Node[], { again } = { again: false }): Promise<string> {
    return this.#storeTree(Buffer.from(encodeNodes(nodes).bytes), again);
  }

  async encodedTree(nodes: EncodedNodes, subtrees: readonly string[], { again } = { again: false }): Promise<string> {
    return this.#storeTree(fillSubtrees(nodes, subtrees), again);
  }

  /**
   * Stores what is left and then the snapshot. Gives the snapshot's id. `lost` fires when the lock is lost; whether it is
   * there is looked for all the same: without it somebody may have removed what no snapshot names yet. A machine that
   * stood still between that look and the writing takes its snapshot back. Throws REPOSITORY_LOCK_LOST.
   */
  async commit(snapshot: NewSnapshot, lost: AbortSignal): Promise<string> {
    for (const pool of this.#pools) await pool.finish();
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#parts.lock.settled;
    // Together: each is made durable. What fails is thrown by `finish`, when none is under way any more.
    await Promise.allSettled(Object.values(this.#builders).map((builder) => this.#upload(builder.finish())));
    await this.#uploads.finish();
    await this.#parts.lock.confirm();
    lost.throwIfAborted();
    // Not given a signal: a write that is given up may still land, and what was cancelled must not be there.
    const id = await writeSnapshot(this.#parts.objects, snapshot);
    await this.#parts.lock.confirmKept().catch(async (error) => {
      await this.#parts.objects.delete('snapshots', [id]);
      throw error;
    });
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pools.map((pool) => pool[Symbol.asyncDispose]()));
  }

  async #storeTree(bytes: Buffer, again: boolean): Promise<string> {
    const id = idOf(bytes);
    await this.#store('tree', id, bytes, again || this.#treesAgain);
    return toHex(id);
  }

  async #store(type: 'data' | 'tree', id: Uint8Array, bytes: Uint8Array, again = false): Promise<void> {
    if ((!again && this.#parts.index.has(type, id)) || !this.#newBlobs.insert(blobKey(type, id))) return;
    try {
      await this.#upload(this.#builders[type].add(id, bytes));
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** The first thing that is written into the repository waits until the lock is ours. */
  async #upload(pack: FinishedPack | undefined): Promise<void> {
    if (pack === undefined) return;
    await this.#parts.lock.settled;
    await this.#uploads.add(pack);
  }
}
