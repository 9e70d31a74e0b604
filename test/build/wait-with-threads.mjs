// Preloaded: holds the process before it starts its first thread, until there is a file.
import { existsSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import worker from 'node:worker_threads';

const { HOLD_THREADS: file } = process.env;
if (worker.isMainThread && file !== undefined) {
  const { Worker } = worker;
  worker.Worker = class extends Worker {
    constructor(...options) {
      writeFileSync(`${file}.held`, '');
      while (!existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      super(...options);
    }
  };
  syncBuiltinESMExports();
}
