import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { unlessAborted } from '../../abort.ts';
import type { DataThreads } from '../../driver/index.ts';
import { TidemarkError } from '../../error.ts';
import { fromPlainError, toPlainError } from '../../plain-error.ts';
import type { BlobRun } from '../blob-fetcher.ts';
import type { FinishedPack } from '../format/pack.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { PackBuffers } from './pack-buffers.ts';

export interface PoolOptions {
  readonly count: number;
  /**
   * One thread is started, and another when a call has waited so long for one: a thread costs as much as to read a thousand
   * files, or to look at five thousand. Absent: all at once.
   */
  readonly nextAfterMs?: number;
  readonly module: string;
  readonly setup: unknown;
  readonly key: ThreadData['key'];
  readonly writing?: Omit<NonNullable<ThreadData['writing']>, 'packs'> & {
    /** Stores a pack; a rejection ends the pool. */
    readonly store: (pack: FinishedPack) => Promise<void>;
  };
  /** Of a restore: brings blobs that a thread asks for. */
  readonly reading?: { readonly fetch: (ids: Uint8Array, place: number) => Promise<BlobRun> };
  readonly progress: (done: { bytes: number; items: number }) => void;
  readonly signal: AbortSignal;
}

const entry = import.meta.resolve('./entry.ts');
/** Less than a job has to let go. */
const endsWithinMs = 3_000;

/** Data threads that run one driver module. Ends all of them at once when the signal fires or one of them fails. */
export class ThreadPool<Task, Result> implements DataThreads<Task, Result> {
  readonly #options: PoolOptions;
  readonly #packs: PackBuffers | undefined;
  /** Those that were started: all, or the first few of `count`. */
  readonly #workers: Worker[] = [];
  readonly #idle: number[] = [];
  readonly #waiting: ((thread: number) => void)[] = [];
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #stores = new Set<Promise<void>>();
  readonly #ready: PromiseWithResolvers<void>[] = [];
  readonly #onAbort = () => this.#fail(this.#options.signal.reason);
  #nextCall = 0;
  #growing: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #closing: Promise<void> | undefined;
  /** From here on, threads that end are no failure. */
  #closed = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.#packs = options.writing && PackBuffers.forThreads(options.count);
    while (this.#workers.length < (options.nextAfterMs === undefined ? options.count : 1)) this.#startWorker();
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Resolves when the module is open in every thread that is started now. Rejects with what it threw. */
  static async start<Task, Result>(options: PoolOptions): Promise<ThreadPool<Task, Result>> {
    options.signal.throwIfAborted();
    const pool = new ThreadPool<Task, Result>(options);
    try {
      await Promise.all(pool.#ready.map((one) => one.promise));
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    }
    pool.#idle.push(...pool.#workers.keys());
    return pool;
  }

  get count(): number {
    return this.#options.count;
  }

  async run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result> {
    return this.onIdle((call) => ({ type: 'run', call, task }), transfer) as Promise<Result>;
  }

  async runOn(thread: number, task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result> {
    return this.#call(thread, (call) => ({ type: 'run', call, task }), transfer) as Promise<Result>;
  }

  /** Sends to the first thread that has nothing to do. */
  async onIdle(message: (call: number) => ToThread, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    const thread = this.#idle.shift() ?? (await this.#nextIdle());
    try {
      return await this.#call(thread, message, transfer);
    } finally {
      this.#becomesIdle(thread);
    }
  }

  /** Sends to every thread that is started. */
  async onEvery(message: (call: number) => ToThread): Promise<void> {
    await Promise.all(this.#workers.map((_, thread) => this.#call(thread, message)));
  }

  /**
   * Closes the module in every thread and waits until the packs they still held are stored. After a failure it only
   * ends the threads; whoever needs to know that all went well calls `finish`.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes, and rejects when anything in the life of the pool failed: then blobs may be missing. */
  async finish(): Promise<void> {
    await this[Symbol.asyncDispose]();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #close(): Promise<void> {
    try {
      if (this.#failure === undefined) {
        await this.onEvery((call) => ({ type: 'close', call }));
        await Promise.all(this.#stores);
      }
    } finally {
      this.#closed = true;
      clearTimeout(this.#growing);
      this.#options.signal.removeEventListener('abort', this.#onAbort);
      await this.#endThreads();
      this.#rejectCalls(closed());
    }
  }

  /** One in a call that never returns, as to a server of files that is away, cannot be ended: it does nothing after it. */
  async #endThreads(): Promise<void> {
    const ended = Promise.all(this.#workers.map((worker) => worker.terminate()));
    await unlessAborted(ended, AbortSignal.timeout(endsWithinMs)).catch(() => {});
  }

  #rejectCalls(error: unknown): void {
    for (const pending of this.#calls.values()) pending.reject(error);
    this.#calls.clear();
  }

  #nextIdle(): Promise<number> {
    if (this.#workers.length < this.count) this.#growing ??= setTimeout(() => this.#grow(), this.#options.nextAfterMs);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #becomesIdle(thread: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }

  /** One more thread, when a call still waits; a failure of it is one of the pool. */
  #grow(): void {
    this.#growing = undefined;
    if (this.#waiting.length === 0 || this.#failure !== undefined || this.#closed) return;
    const thread = this.#startWorker();
    this.#ready[thread]!.promise.then(
      () => {
        this.#becomesIdle(thread);
        if (this.#waiting.length > 0 && this.#workers.length < this.count) this.#grow();
      },
      () => {},
    );
  }

  #call(thread: number, message: (call: number) => ToThread, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#closed) return Promise.reject(closed());
    const call = this.#nextCall++;
    const pending = Promise.withResolvers<unknown>();
    this.#workerOf(thread).postMessage(message(call), [...transfer]);
    this.#calls.set(call, pending);
    return pending.promise;
  }

  /** Of a thread that was not needed before it is started now. */
  #workerOf(thread: number): Worker {
    while (this.#workers.length <= thread) {
      const started = this.#startWorker();
      this.#ready[started]!.promise.then(
        () => this.#becomesIdle(started),
        () => {},
      );
    }
    return this.#workers[thread]!;
  }

  #startWorker(): number {
    const thread = this.#workers.length;
    this.#ready.push(Promise.withResolvers<void>());
    const { count, module, setup, key, writing } = this.#options;
    const workerData: ThreadData = {
      thread,
      threads: count,
      module,
      setup,
      key,
      writing: writing && { index: writing.index, newBlobs: writing.newBlobs, packs: this.#packs!.shared },
    };
    const worker = new Worker(new URL(entry), { workerData, env: compileCacheEnv(), name: `data ${thread}` });
    worker.on('message', (message: FromThread) => this.#receive(thread, message));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new TidemarkError('BUG', 'a data thread ended by itself')));
    this.#workers.push(worker);
    return thread;
  }

  #receive(thread: number, message: FromThread): void {
    if (message.type === 'ready') this.#ready[thread]!.resolve();
    else if (message.type === 'failed') this.#fail(fromPlainError(message.error, 'in a data thread'));
    else if (message.type === 'done') this.#settle(message);
    else if (message.type === 'pack') this.#store(message);
    else if (message.type === 'progress') this.#options.progress({ bytes: message.bytes, items: message.items });
    else void this.#fetch(thread, message);
  }

  #settle({ call, result, error }: FromThread & { type: 'done' }): void {
    const pending = this.#calls.get(call);
    this.#calls.delete(call);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(fromPlainError(error, 'in a data thread'));
  }

  /** What could not be stored, or was given up, may still be read by who was to store it: its buffer is not used again. */
  #store({ pack, lent }: FromThread & { type: 'pack' }): void {
    const stored = this.#options
      .writing!.store(pack)
      .then(() => this.#packs!.giveBack(lent))
      .catch((error) => this.#fail(error))
      .finally(() => this.#stores.delete(stored));
    this.#stores.add(stored);
  }

  async #fetch(thread: number, { request, ids, place }: FromThread & { type: 'fetch' }): Promise<void> {
    const answer = await this.#options.reading!.fetch(ids, place).then(
      (run) => ({ run }),
      (error) => ({ error: toPlainError(error) }),
    );
    const transfer = 'run' in answer ? [answer.run.sealed.buffer] : [];
    this.#workers[thread]!.postMessage({ type: 'fetched', request, ...answer } satisfies ToThread, transfer);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = { error };
    this.#packs?.endWaiting();
    for (const one of this.#ready) {
      one.promise.catch(() => {});
      one.reject(error);
    }
    this.#rejectCalls(error);
    for (const worker of this.#workers) void worker.terminate();
  }
}

/** All that a thread gets of the environment: where Node keeps compiled code. Without it each thread compiles anew. */
function compileCacheEnv(): { NODE_COMPILE_CACHE?: string } {
  const folder = getCompileCacheDir(); // of this version of Node, in the folder that was asked for
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

function closed(): TidemarkError {
  return new TidemarkError('BUG', 'the data threads are closed');
}
