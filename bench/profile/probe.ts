/**
 * Loaded into every thread of a profiled process (`--import`, with the folder to write to as `?folder=`): notes what the
 * thread allocates in V8's heap, also what was collected since. The bytes of buffers lie outside of it and are not counted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { parentPort, threadId } from 'node:worker_threads';

const folder = new URL(import.meta.url).searchParams.get('folder')!;
const session = new Session();
session.connect();
session.post('HeapProfiler.startSampling', {
  samplingInterval: 32 * 1024,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
});
// A data thread is ended from outside and never sees its exit; the call that closes it is the last word that it gets.
if (parentPort === null) process.once('exit', write);
else parentPort.on('message', (message: { type?: string }) => message.type === 'close' && write());

function write(): void {
  session.post('HeapProfiler.stopSampling', (error, result) => {
    if (error !== null) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `Alloc.${process.pid}.${threadId}.json`), JSON.stringify(result.profile));
  });
}
