import type { DataThreads } from '../../core/driver/index.ts';

/**
 * Runs tasks on the first `count` threads, each taking the next when it is done, in the order of `tasks`. After the
 * first failure no further task starts; rejects with it when all have ended.
 */
export async function runOnThreads<Task, Result, Item>(
  threads: DataThreads<Task, Result>,
  count: number,
  tasks: AsyncGenerator<Item>,
  run: (item: Item, runTask: (task: Task) => Promise<Result>, thread: number) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const work = async (thread: number) => {
    try {
      for (let next = await tasks.next(); !next.done && failures.length === 0; next = await tasks.next()) {
        await run(next.value, (task) => threads.runOn(thread, task), thread);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, thread) => work(thread)));
  if (failures.length > 0) throw failures[0];
}
