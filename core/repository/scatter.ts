import type { Content } from '../driver/index.ts';
import type { BlobFetcher } from './blob-fetcher.ts';
import { maxRunBytes } from './blob-fetcher.ts';
import type { BlobLocation } from './blob-index.ts';
import { idBytes, toHex } from './format/blob-id.ts';
import { sealBytes } from './format/sealer.ts';
import type { ScatterBlob, ScatterRange } from './threads/messages.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

/** Gaps up to this size are read over: cheaper than one more request. */
const maxGapBytes = 64 * 1024;

interface Wanted {
  readonly location: BlobLocation;
  readonly targets: { file: number; offset: number }[];
}

/** A range of a pack to fetch. */
interface Fetch {
  readonly pack: Uint8Array;
  readonly offset: number;
  length: number;
  readonly wanted: Wanted[];
}

/**
 * Brings the blobs of many files to the threads, pack by pack, each blob once however many files hold it. Two requests
 * per thread are under way, so that threads never wait for the store.
 */
export async function scatter<Task>(
  fetcher: BlobFetcher,
  files: readonly { task: Task; content: Content }[],
  threads: ThreadPool<Task, unknown>,
  signal: AbortSignal,
): Promise<void> {
  const remaining = new Int32Array(new SharedArrayBuffer(Math.max(4, files.length * 4)));
  const fetches = plan(fetcher, files, remaining);
  await threads.onEvery((call) => ({ type: 'batch', call, tasks: files.map((file) => file.task), remaining }));
  const empty = files.flatMap((file, number) => (file.content.blobs.length === 0 ? [number] : []));
  if (empty.length > 0) await threads.onIdle((call) => ({ type: 'finish', call, files: empty }));
  const lane = async () => {
    for (let next = fetches.shift(); next !== undefined; next = fetches.shift()) {
      const range = await fetchRange(fetcher, next, signal);
      await threads.onIdle((call) => ({ type: 'scatter', call, range }), [range.sealed.buffer]);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads.count * 2 }, lane));
  } finally {
    fetches.length = 0; // after a failure the other lanes end with what they have in hand
  }
}

/** Which ranges of which packs to read, in the order of the packs' first use; counts the blobs of each file. */
function plan(fetcher: BlobFetcher, files: readonly { content: Content }[], remaining: Int32Array): Fetch[] {
  const packs = new Map<string, Wanted[]>();
  const known = new Map<string, Wanted>();
  for (const [file, { content }] of files.entries()) {
    let offset = 0;
    for (let at = 0; at < content.blobs.length; at += idBytes) {
      const wanted = wantedBlob(fetcher, content.blobs.subarray(at, at + idBytes), known, packs);
      wanted.targets.push({ file, offset });
      offset += plainLength(wanted.location);
      remaining[file]! += 1;
    }
  }
  return [...packs.values()].flatMap(joinNeighbours);
}

function wantedBlob(
  fetcher: BlobFetcher,
  id: Uint8Array,
  known: Map<string, Wanted>,
  packs: Map<string, Wanted[]>,
): Wanted {
  const key = Buffer.from(id).toString('latin1');
  const before = known.get(key);
  if (before !== undefined) return before;
  const wanted: Wanted = { location: fetcher.locate('data', new Uint8Array(id)), targets: [] };
  known.set(key, wanted);
  const pack = toHex(wanted.location.pack);
  const inPack = packs.get(pack);
  if (inPack === undefined) packs.set(pack, [wanted]);
  else inPack.push(wanted);
  return wanted;
}

function joinNeighbours(wanted: Wanted[]): Fetch[] {
  wanted.sort((a, b) => a.location.offset - b.location.offset);
  const fetches: Fetch[] = [];
  let last: Fetch | undefined;
  for (const one of wanted) {
    const { pack, offset, length } = one.location;
    const end = offset + length;
    if (last === undefined || offset > last.offset + last.length + maxGapBytes || end - last.offset > maxRunBytes) {
      last = { pack, offset, length: 0, wanted: [] };
      fetches.push(last);
    }
    last.length = end - last.offset;
    last.wanted.push(one);
  }
  return fetches;
}

async function fetchRange(fetcher: BlobFetcher, one: Fetch, signal: AbortSignal): Promise<ScatterRange> {
  const sealed = await fetcher.range(one.pack, one.offset, one.length, signal);
  const blobs = one.wanted.map(({ location, targets }): ScatterBlob => {
    const { length, plainBytes, id, offset } = location;
    return { at: offset - one.offset, length, plainBytes, id, targets };
  });
  return { pack: new Uint8Array(one.pack), sealed, blobs }; // a copy: messages take the buffer behind a view with them
}

function plainLength(location: BlobLocation): number {
  return location.plainBytes ?? location.length - sealBytes;
}
