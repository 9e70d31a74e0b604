import type { BackupReader, Content, DataThreads, Manifest, Node } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import { BlobFetcher } from './blob-fetcher.ts';
import { fromHex, idBytes } from './format/blob-id.ts';
import { Sealer } from './format/sealer.ts';
import { decodeNodes } from './format/tree.ts';
import type { RepositoryParts, WorkOptions } from './repository.ts';
import { scatter } from './scatter.ts';
import { openRun } from './threads/data-thread.ts';
import { ThreadPool } from './threads/thread-pool.ts';
import { TreeCache } from './tree-cache.ts';

/** Where the manifest lies in the tree of every backup of tidemark's. */
export const manifestFolder = '.tidemark';
export const manifestFile = 'manifest.json';

/** One backup, open for reading. Dispose it: that ends its threads. */
export class BackupReading implements BackupReader, AsyncDisposable {
  readonly rootTree: string;
  readonly #parts: RepositoryParts;
  readonly #options: WorkOptions;
  readonly #fetcher: BlobFetcher;
  readonly #sealer: Sealer;
  readonly #trees: TreeCache;
  readonly #pools: AsyncDisposable[] = [];
  #manifest: Manifest | undefined;

  private constructor(parts: RepositoryParts, rootTree: string, options: WorkOptions) {
    this.rootTree = rootTree;
    this.#parts = parts;
    this.#options = options;
    this.#fetcher = new BlobFetcher(parts.store, parts.index);
    this.#sealer = new Sealer(parts.key);
    this.#trees = new TreeCache(this.#fetcher, this.#sealer, options.signal);
  }

  static async open(parts: RepositoryParts, rootTree: string, options: WorkOptions): Promise<BackupReading> {
    const reading = new BackupReading(parts, rootTree, options);
    reading.#manifest = await reading.#readManifest();
    return reading;
  }

  /** Throws BACKUP_INCOMPLETE for a snapshot that tidemark did not write; see `hasManifest`. */
  get manifest(): Manifest {
    if (this.#manifest !== undefined) return this.#manifest;
    throw new TidemarkError(
      'BACKUP_INCOMPLETE',
      'the snapshot has no .tidemark/manifest.json: tidemark did not write it',
    );
  }

  get hasManifest(): boolean {
    return this.#manifest !== undefined;
  }

  async tree(id: string): Promise<readonly Node[]> {
    return decodeNodes(await this.encodedTree(id));
  }

  encodedTree(id: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#trees.get(fromHex(id));
  }

  async *read(content: Content): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.blobs.length; ) {
      const run = await this.#fetcher.run('data', content.blobs.subarray(at), this.#options.signal);
      const end = at + run.blobs.length * idBytes;
      yield* openRun(this.#sealer, run, content.blobs.subarray(at, end));
      at = end;
    }
  }

  async threads<Setup, Task, Result>(module: string, setup: Setup): Promise<DataThreads<Task, Result>> {
    const pool = await ThreadPool.start<Task, Result>({
      count: this.#options.threads,
      module,
      setup,
      key: this.#parts.key,
      fetch: (ids) => this.#fetcher.run('data', ids, this.#options.signal),
      progress: (done) => this.#options.progress.add(done),
      signal: this.#options.signal,
    });
    this.#pools.push(pool);
    return pool;
  }

  async scatter<Task>(
    files: readonly { task: Task; content: Content }[],
    threads: DataThreads<Task, unknown>,
  ): Promise<void> {
    await scatter(this.#fetcher, files, threads as ThreadPool<Task, unknown>, this.#options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools) await pool[Symbol.asyncDispose]();
  }

  async #readManifest(): Promise<Manifest | undefined> {
    const folder = (await this.tree(this.rootTree)).find((node) => node.name === manifestFolder);
    if (folder?.subtree === undefined) return undefined;
    const file = (await this.tree(folder.subtree)).find((node) => node.name === manifestFile);
    if (file?.content === undefined) return undefined;
    const parts: Uint8Array[] = [];
    for await (const part of this.read(file.content)) parts.push(part);
    return parseManifest(Buffer.concat(parts).toString('utf8'));
  }
}

function parseManifest(text: string): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'the manifest of the backup is not JSON', { cause });
  }
  if (manifest.format === 1) return manifest;
  throw new TidemarkError(
    'UNSUPPORTED',
    `the backup has manifest format ${manifest.format}, this version knows format 1`,
    {
      hint: 'Use the version of tidemark that made it, or a newer one.',
    },
  );
}
