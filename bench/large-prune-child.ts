/**
 * `large-prune-child.ts FOLDER make BLOBS [BLOBS_PER_INDEX_FILE] | mark | remove`: a repository of so many blobs of 20 KB, of which every tenth pack
 * is needed by nothing, and a prune of it. Its data packs are holes of the right size: nothing of them is read.
 */
import crypto from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { Sealer } from '../core/repository/format/sealer.ts';
import { Repository } from '../core/repository/index.ts';
import { blobsPerIndex } from '../core/repository/index-files.ts';
import { openKey } from '../core/repository/keys.ts';
import { SealedObjects } from '../core/repository/objects.ts';
import { packName } from '../core/repository/pack-name.ts';
import { Secret } from '../core/secret.ts';
import { local } from '../drivers/files/index.ts';
import { fileNode, folderNode, writeBackup } from '../test/core/repository/repository-kit.ts';

const [folder, what, count, each = blobsPerIndex] = process.argv.slice(2) as [
  string,
  'make' | 'mark' | 'remove',
  string,
  string?,
];
const blobsPerPack = 800;
const blobBytes = 20_000;
const packBytes = blobsPerPack * (blobBytes + 41) + 36;
const { signal } = new AbortController();
const work = { signal, threads: 2, progress: { add() {}, expect() {}, step() {} } };
const context = { subject: 'destinations.bench', secret: async () => new Secret(''), clock: systemClock };
const store = await local.open({ path: folder }, context);
const password = new Secret('bench');
const options = {
  store,
  password,
  by: { host: 'bench', user: 'bench', pid: process.pid },
  clock: systemClock,
  processAlive: () => true,
};

if (what === 'make') await make(Math.round(Number(count) / blobsPerPack));
else await prune();

async function make(packs: number): Promise<void> {
  const repository = await Repository.init(options);
  const { master } = await openKey(store, password);
  const objects = new SealedObjects(store, new Sealer(master));
  // As `crypto.hash`, and ten times as fast: any ids that are spread evenly do.
  const stream = crypto.createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16));
  const ids = (number: number) => stream.update(Buffer.alloc(number * 32));
  let named: unknown[] = [];
  const flush = async () => {
    await objects.put('index', { packs: named });
    named = [];
  };
  await writeBackup(repository, async (sink) => {
    const folders: ReturnType<typeof folderNode>[] = [];
    for (let pack = 0; pack < packs; pack++) {
      const id = ids(1).toString('hex');
      const own = ids(blobsPerPack);
      await makeHole(join(folder, packName(id)));
      named.push({ id, blobs: blobsOf(own) });
      if (named.length * blobsPerPack >= Number(each)) await flush();
      if (pack % 10 === 0) continue;
      const content = { blobs: new Uint8Array(own), sizeBytes: blobsPerPack * 3 * blobBytes };
      folders.push(folderNode(`${pack}`.padStart(8, '0'), await sink.tree([fileNode('file', content)])));
    }
    await flush();
    return folders;
  });
}

function blobsOf(ids: Buffer): unknown[] {
  return Array.from({ length: blobsPerPack }, (_, at) => ({
    id: ids.toString('hex', at * 32, at * 32 + 32),
    type: 'data',
    offset: at * blobBytes,
    length: blobBytes,
    uncompressed_length: 3 * blobBytes,
  }));
}

async function makeHole(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  await file.truncate(packBytes);
  await file.close();
}

async function prune(): Promise<void> {
  const repository = await Repository.open(options);
  await using lock = await repository.lock('shared', signal, 'prune');
  const plan = await repository.planPrune(lock, { maxUnused: 'unlimited', graceMs: 0, now: false }, work);
  const plannedCpu = process.cpuUsage();
  const plannedRss = process.resourceUsage().maxRSS / 1024;
  const result = await repository.prune(plan, work);
  const seconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
  console.log(
    JSON.stringify({
      plan: { cpuSeconds: seconds(plannedCpu), peakMiB: plannedRss },
      all: { cpuSeconds: seconds(process.cpuUsage()), peakMiB: process.resourceUsage().maxRSS / 1024 },
      result,
    }),
  );
}
