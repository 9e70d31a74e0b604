/** What a data thread starts with; `thread-pool.ts` names this file. */
import { parentPort, workerData } from 'node:worker_threads';
import { runDataThread } from './data-thread.ts';
import type { ThreadData } from './messages.ts';

await runDataThread(parentPort!, workerData as ThreadData);
