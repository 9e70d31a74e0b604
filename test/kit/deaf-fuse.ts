/**
 * Takes every request of the FUSE device at descriptor 3 and answers none but the first, FUSE_INIT: whoever waits for an
 * answer cannot even be killed. The layout is that of `linux/fuse.h`, protocol 7.31.
 */
import { readSync, writeSync } from 'node:fs';

const request = Buffer.alloc(2 ** 20);
readSync(3, request);
const answer = Buffer.alloc(16 + 64);
answer.writeUInt32LE(answer.length, 0);
request.copy(answer, 8, 8, 16); // the number of the request
answer.writeUInt32LE(7, 16);
answer.writeUInt32LE(31, 20);
answer.writeUInt32LE(2 ** 17, 24); // max_readahead
answer.writeUInt16LE(12, 32); // max_background
answer.writeUInt16LE(9, 34); // congestion_threshold
answer.writeUInt32LE(2 ** 17, 36); // max_write
writeSync(3, answer);
for (;;) {
  readSync(3, request);
  process.stdout.write('called\n');
}
