import type { Content, DamagedFile, RestoreThreads } from '../driver/index.ts';
import type { BlobFetcher } from './blob-fetcher.ts';
import { scatter } from './scatter.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

/** The threads of one backup that is read, with the way of its blobs to them. */
export class ReadingThreads<Task, Result> implements RestoreThreads<Task, Result> {
  readonly #pool: ThreadPool<Task, Result>;
  readonly #fetcher: BlobFetcher;
  readonly #signal: AbortSignal;

  constructor(pool: ThreadPool<Task, Result>, fetcher: BlobFetcher, signal: AbortSignal) {
    this.#pool = pool;
    this.#fetcher = fetcher;
    this.#signal = signal;
  }

  get count(): number {
    return this.#pool.count;
  }

  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result> {
    return this.#pool.run(task, transfer);
  }

  runOn(thread: number, task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result> {
    return this.#pool.runOn(thread, task, transfer);
  }

  scatter(files: readonly { readonly task: Task; readonly content: Content }[]): Promise<readonly DamagedFile[]> {
    return scatter(this.#fetcher, files, this.#pool, this.#signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}
