import type { LifoPool } from './lifo-pool.ts';
import type { FolderTask, ScannedFolder } from './scan-task.ts';

export interface FolderBatchesOptions {
  readonly pool: LifoPool;
  /** Gives the results of the first folders, of one at least. */
  readonly scan: (folders: readonly FolderTask[]) => Promise<readonly ScannedFolder[]>;
}

interface Waiting {
  /** Reads what the task needs. */
  readonly task: () => Promise<FolderTask>;
  readonly result: PromiseWithResolvers<ScannedFolder>;
}

/** A message to a thread and back costs as much as the look at some files. */
const mostAtOnce = 16;

/** Sends folders to the threads, the newest first, several in one message while there are enough of them for all. */
export class FolderBatches {
  readonly #options: FolderBatchesOptions;
  readonly #waiting: Waiting[] = [];
  /** How many batches wait for their turn in the pool: as many as there are folders, at most. */
  #turns = 0;

  constructor(options: FolderBatchesOptions) {
    this.#options = options;
  }

  run(task: () => Promise<FolderTask>): Promise<ScannedFolder> {
    const result = Promise.withResolvers<ScannedFolder>();
    this.#add({ task, result });
    return result.promise;
  }

  #add(folder: Waiting): void {
    this.#waiting.push(folder);
    if (this.#turns >= this.#waiting.length) return;
    this.#turns += 1;
    void this.#options.pool.run(() => this.#batch());
  }

  /** Finds no folder when the one that it was for went with others. */
  async #batch(): Promise<void> {
    this.#turns -= 1;
    const share = Math.ceil(this.#waiting.length / this.#options.pool.limit);
    const batch = this.#waiting.splice(-Math.min(share, mostAtOnce)).reverse();
    if (batch.length === 0) return;
    try {
      const results = await this.#options.scan(await Promise.all(batch.map(({ task }) => task())));
      for (const [at, result] of results.entries()) batch[at]!.result.resolve(result);
      for (const left of batch.slice(results.length).reverse()) this.#add(left);
    } catch (error) {
      for (const { result } of batch) result.reject(error);
    }
  }
}
