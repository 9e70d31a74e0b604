import type { Content, DamagedFile } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import type { BlobFetcher } from './blob-fetcher.ts';
import type { BlobLocation } from './blob-index.ts';
import { damagedBlob } from './format/damage.ts';
import { ReusedMemory, transferOf } from './reused-memory.ts';
import { ScatterDamage } from './scatter-damage.ts';
import { type Fetch, fetchBytes, planScatter, type Wanted } from './scatter-plan.ts';
import type { LostBlobs, ScatterBlob, ScatterRange } from './threads/messages.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

/**
 * Brings the blobs of many files to the threads, pack by pack, each blob once however many files hold it. Two requests
 * per thread are under way, so that threads never wait for the store. Goes on past damage: a blob is tried at every
 * place that has it, and what is lost costs the files that need it.
 */
export async function scatter<Task>(
  fetcher: BlobFetcher,
  files: readonly { task: Task; content: Content }[],
  threads: ThreadPool<Task, unknown>,
  signal: AbortSignal,
): Promise<DamagedFile[]> {
  const remaining = sharedWords(files.length);
  const damaged = sharedWords(files.length);
  const damage = new ScatterDamage(damaged);
  const { fetches, lost } = await planScatter(fetcher, files, remaining, damage);
  const tasks = files.map((file) => file.task);
  await threads.onEvery((call) => ({ type: 'batch', call, tasks, remaining, damaged }));
  const empty = files.flatMap((file, number) => (file.content.blobs.length === 0 ? [number] : []));
  if (empty.length > 0) await threads.onIdle((call) => ({ type: 'finish', call, files: empty }));
  const run = new ScatterRun(fetcher, threads, signal, fetches, damage);
  await run.lose(lost);
  await run.all();
  return damage.files();
}

class ScatterRun {
  readonly #fetcher: BlobFetcher;
  readonly #threads: ThreadPool<unknown, unknown>;
  readonly #signal: AbortSignal;
  readonly #fetches: Fetch[];
  readonly #damage: ScatterDamage;

  constructor(
    fetcher: BlobFetcher,
    threads: ThreadPool<never, unknown>,
    signal: AbortSignal,
    fetches: Fetch[],
    damage: ScatterDamage,
  ) {
    this.#fetcher = fetcher;
    this.#threads = threads;
    this.#signal = signal;
    this.#fetches = fetches;
    this.#damage = damage;
  }

  async all(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#threads.count * 2 }, () => this.#lane()));
    } finally {
      this.#fetches.length = 0; // after a failure the other lanes end with what they have in hand
    }
  }

  async lose(files: readonly LostBlobs[]): Promise<void> {
    if (files.length > 0) await this.#threads.onIdle((call) => ({ type: 'lost', call, files }));
  }

  async #lane(): Promise<void> {
    const room = new ReusedMemory(fetchBytes);
    for (let next = this.#fetches.shift(); next !== undefined; next = this.#fetches.shift()) {
      const sealed = await this.#fetch(next, room);
      if (sealed === 'unreadable') continue;
      const isThere = (one: Wanted) => endIn(next, one) <= (sealed?.length ?? 0);
      const there = next.wanted.filter(isThere);
      if (there.length < next.wanted.length) {
        const absent = next.wanted.filter((one) => !isThere(one));
        await this.#tryElsewhere(absent, sealed === undefined ? 'missing' : 'cut short');
      }
      if (sealed === undefined || there.length === 0) continue;
      const range = rangeOf(next, there, sealed);
      const damaged = await this.#threads.onIdle((call) => ({ type: 'scatter', call, range }), transferOf(sealed));
      const bad = (damaged as number[]).map((at) => there[at]!);
      await this.#tryElsewhere(bad, 'damaged');
    }
  }

  /** Where the disk refuses some of it, the blobs are fetched one by one. */
  async #fetch(
    { pack, offset, length, wanted }: Fetch,
    room: ReusedMemory,
  ): Promise<Uint8Array | undefined | 'unreadable'> {
    try {
      return await this.#fetcher.bytesIn(room, pack, offset, length, this.#signal);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      if (wanted.length === 1) await this.#tryElsewhere(wanted, 'damaged');
      else this.#fetches.push(...wanted.map((one) => fetchOf(one)));
      return 'unreadable';
    }
  }

  /** Blobs that lie in other packs too are fetched from there; the others are lost. */
  async #tryElsewhere(wanted: readonly Wanted[], what: 'damaged' | 'missing' | 'cut short'): Promise<void> {
    const lost: LostBlobs[] = [];
    for (const one of wanted) {
      const place = await this.#nextPlace(one);
      if (place !== undefined) {
        this.#fetches.push(fetchOf({ ...one, place }));
        continue;
      }
      const text = damagedBlob(one.id, one.place.pack, what).message;
      for (const { file } of one.targets) {
        this.#damage.add(file, text);
        lost.push({ file, blobs: 1 });
      }
    }
    await this.lose(lost);
  }

  /** Also in packs that no index names. */
  async #nextPlace({ id, place: { pack, offset } }: Wanted): Promise<BlobLocation | undefined> {
    const places = this.#fetcher.places('data', id);
    const tried = places.findIndex((place) => place.offset === offset && Buffer.compare(place.pack, pack) === 0);
    if (tried + 1 < places.length) return places[tried + 1];
    await this.#fetcher.searchLost();
    return this.#fetcher.places('data', id)[tried + 1];
  }
}

function fetchOf(one: Wanted): Fetch {
  const { pack, offset, length } = one.place;
  return { pack, offset, length, wanted: [one] };
}

function endIn(fetch: Fetch, { place: { offset, length } }: Wanted): number {
  return offset + length - fetch.offset;
}

function rangeOf(fetch: Fetch, wanted: readonly Wanted[], sealed: Uint8Array): ScatterRange {
  const blobs = wanted.map(({ id, place, targets }): ScatterBlob => {
    const { length, plainBytes, offset } = place;
    return { at: offset - fetch.offset, length, plainBytes, id, targets };
  });
  return { sealed, blobs };
}

/** Shared memory, a word per file, all zero. */
function sharedWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Math.max(4, count * 4)));
}
