/** `index-memory-child.ts BLOBS`: makes an index of so many blobs, as a repository of 20 KB blobs would have, and says what it takes. */
import crypto from 'node:crypto';
import { Bits } from '../core/repository/bits.ts';
import { BlobIndex } from '../core/repository/blob-index.ts';
import type { PackEntry } from '../core/repository/format/pack.ts';
import { PackUse } from '../core/repository/prune/pack-use.ts';

const blobs = Number(process.argv[2]);
const blobsPerPack = 800;
const blobBytes = 20_000;

/** As `crypto.hash`, and ten times as fast: any ids that are spread evenly do. */
const stream = crypto.createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16));
const zeros = Buffer.alloc(blobsPerPack * 32);

const before = process.memoryUsage().rss;
const startedMs = cpuMs();
const index = new BlobIndex();
for (let pack = 0; pack < blobs / blobsPerPack; pack++) index.addPack(stream.update(zeros.subarray(0, 32)), entries());
const madeMs = cpuMs() - startedMs;
const indexRss = process.memoryUsage().rss - before;

const walkMs = cpuMs();
const used = new Bits(index.count);
for (let place = 0; place < index.count; place++) if (place % 10 !== 0) used.set(place);
const sizes = new Float64Array(index.packCount).fill(blobsPerPack * (blobBytes + 41) + 36);
const use = new PackUse(index, used, sizes, () => false);
const findMs = cpuMs();
let found = 0;
for (let place = 0; place < index.count; place += 10) if (index.placeOf(index.keyAt(place)) === place) found += 1;
const endMs = cpuMs();

console.log(
  JSON.stringify({
    blobs: index.count,
    tableBytes: index.sizeBytes,
    indexRss,
    pruneRss: process.memoryUsage().rss - before,
    peakRss: process.resourceUsage().maxRSS * 1024 - before,
    addSeconds: madeMs / 1000,
    useSeconds: (findMs - walkMs) / 1000,
    findMicroseconds: ((endMs - findMs) * 1000) / found,
    usedPacks: use.usedBlobs.length,
  }),
);

/** Of the machine's cores, which others may use as well. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function* entries(): Generator<PackEntry> {
  const ids = stream.update(zeros);
  for (let at = 0; at < blobsPerPack; at++) {
    const id = ids.subarray(at * 32, at * 32 + 32);
    yield { type: 'data', id, offset: at * blobBytes, length: blobBytes, plainBytes: 3 * blobBytes };
  }
}
