import { hasCode, type TidemarkError } from '../../error.ts';
import { BlobIndex } from '../blob-index.ts';
import { fromHex, toHex } from '../format/blob-id.ts';
import { maxBytes } from '../format/chunker.ts';
import type { PackEntry } from '../format/pack.ts';
import { openBlob, targetBytes } from '../format/pack.ts';
import { Sealer } from '../format/sealer.ts';
import { packName } from '../pack-name.ts';
import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { ReusedMemory, transferOf } from '../reused-memory.ts';
import { readInPieces } from '../set-aside.ts';
import { ThreadPool } from '../threads/thread-pool.ts';
import type { PackFacts } from './pack-table.ts';
import type { PackTask, PackVerdict } from './pack-thread.ts';
import { readIndexFiles } from './read-index.ts';
import type { Whereabouts } from './whereabouts.ts';

/** A pack in which something is not as it should be. */
export interface PackDamage {
  readonly pack: PackFacts;
  /** `denied`: it could not be read, and nothing is known of it. */
  readonly what: 'missing' | 'denied' | 'damaged' | 'header damaged' | 'header differs' | 'not itself' | 'unindexed';
  /** How many blobs do not open, of how many. */
  readonly badBlobs: number;
  readonly blobs: number;
  /** Of a pack that was read. */
  readonly lost?: LostOfPack;
  /** The other pack, by its id, whose bytes lie under this one's name. */
  readonly bytesOf?: string;
  /** For `denied`, the store's words. */
  readonly error?: TidemarkError;
}

export interface LostOfPack {
  /** The list of blobs that ends the pack cannot be read. */
  readonly isListLost: boolean;
  /** The ids, in hex, of blobs that do not open where that list or the index has them. */
  readonly blobs: readonly string[];
}

export interface ReadPacks {
  readonly damaged: readonly PackDamage[];
  readonly packs: number;
  readonly bytes: number;
  /** What packs hold by their own headers where the index says something else of them, or nothing. */
  readonly own: BlobIndex;
}

/** Of a pack as large as ours and restic's become; those of `restic --pack-size` may be larger. */
const roomBytes = targetBytes + 2 * maxBytes;

type Parts = Pick<RepositoryParts, 'store' | 'objects' | 'key'>;

/**
 * Reads these packs whole, in data threads: the hash of each, its header against the index, and every blob in it. What is
 * bad `whereabouts` knows afterwards; of a blob that lies elsewhere too, the other places are tried at once.
 */
export async function readPacks(
  parts: Parts,
  whereabouts: Whereabouts,
  packs: readonly PackFacts[],
  work: WorkOptions,
): Promise<ReadPacks> {
  if (packs.length === 0) return { damaged: [], packs: 0, bytes: 0, own: new BlobIndex() };
  await using threads = await ThreadPool.start<PackTask, PackVerdict>({
    count: work.threads,
    module: import.meta.resolve('./pack-thread.ts'),
    setup: parts.key,
    key: parts.key,
    progress: (done) => work.progress.add({ bytes: done.bytes }),
    signal: work.signal,
  });
  const reading = new Reading(parts, whereabouts, threads, work.signal);
  await reading.all(packs);
  await reading.again();
  return reading;
}

class Reading implements ReadPacks {
  readonly damaged: PackDamage[] = [];
  packs = 0;
  bytes = 0;
  readonly own = new BlobIndex();
  readonly #parts: Parts;
  readonly #whereabouts: Whereabouts;
  readonly #threads: ThreadPool<PackTask, PackVerdict>;
  readonly #signal: AbortSignal;
  /** Their headers do not say what they hold: the index is asked. */
  readonly #doubtful = new Map<string, PackFacts>();
  readonly #bad: PackEntry[] = [];
  /** By pack, of those whose headers differ: what does not open where these say. */
  readonly #ownBad = new Map<string, readonly PackEntry[]>();

  constructor(parts: Parts, whereabouts: Whereabouts, threads: ThreadPool<PackTask, PackVerdict>, signal: AbortSignal) {
    this.#parts = parts;
    this.#whereabouts = whereabouts;
    this.#threads = threads;
    this.#signal = signal;
  }

  /** Each thread has a pack, and one more is read ahead: more would cost 16 MiB each. */
  async all(packs: readonly PackFacts[]): Promise<void> {
    const left = packs.values();
    const lane = async () => {
      const room = new ReusedMemory(roomBytes);
      for (const pack of left) await this.#read(pack, room);
    };
    await Promise.all(Array.from({ length: this.#threads.count + 1 }, lane));
  }

  /** Once more, those whose headers are no good: which of the blobs that the index expects in them are there. */
  async again(): Promise<void> {
    if (this.#doubtful.size > 0) {
      const room = new ReusedMemory(roomBytes);
      for await (const file of readIndexFiles(this.#parts.objects, this.#signal, () => {})) {
        for (const { id, blobs } of file.packs()) await this.#readBy(this.#doubtful.get(toHex(id)), blobs, room);
      }
    }
    await this.#tryElsewhere();
  }

  async #read(pack: PackFacts, room: ReusedMemory): Promise<void> {
    const sealed = await this.#get(pack, room);
    if (sealed === undefined) return;
    this.packs += 1;
    this.bytes += sealed.length;
    const { id, headerDigest } = pack;
    const verdict = await this.#threads.run({ id, sealed, headerDigest }, transferOf(sealed));
    if (verdict.own !== undefined) this.#addOwn(pack, verdict);
    if (pack.indexedBytes === undefined) this.#judgeUnindexed(pack, verdict);
    else if (verdict.header === 'as the index') this.#judge(pack, verdict);
    else this.#doubtful.set(id, pack);
  }

  #addOwn(pack: PackFacts, { own = [], bad }: PackVerdict): void {
    this.own.addPack(fromHex(pack.id), own);
    this.#ownBad.set(pack.id, bad);
    for (const blob of bad) this.#whereabouts.markBad(pack.number, blob);
  }

  async #readBy(pack: PackFacts | undefined, blobs: readonly PackEntry[], room: ReusedMemory): Promise<void> {
    if (pack === undefined) return;
    this.#doubtful.delete(pack.id); // a second index file may name it
    const sealed = await this.#get(pack, room);
    if (sealed === undefined) return;
    const { id, headerDigest } = pack;
    const task = { id, sealed, headerDigest, blobs: blobs.map((blob) => ({ ...blob, id: new Uint8Array(blob.id) })) };
    this.#judge(pack, await this.#threads.run(task, transferOf(sealed)));
  }

  #judge(pack: PackFacts, { isItself, bytesOf, header, blobs, bad }: PackVerdict): void {
    for (const blob of bad) {
      this.#whereabouts.markBad(pack.number, blob);
      this.#bad.push(blob);
    }
    const what =
      bad.length > 0
        ? 'damaged'
        : header !== 'as the index'
          ? (`header ${header}` as const)
          : isItself
            ? undefined
            : 'not itself';
    const isOther = !isItself && this.#whereabouts.packs.find(fromHex(bytesOf)) !== undefined;
    const lost = this.#lostOf(pack, header, bad);
    if (what !== undefined)
      this.damaged.push({ pack, what, badBlobs: bad.length, blobs, lost, ...(isOther && { bytesOf }) });
  }

  /** Its header cannot be as the index says. */
  #judgeUnindexed(pack: PackFacts, { isItself, header, blobs, bad }: PackVerdict): void {
    const isWhole = isItself && header === 'differs' && bad.length === 0;
    const lost = this.#lostOf(pack, header, bad);
    this.damaged.push({ pack, what: isWhole ? 'unindexed' : 'damaged', badBlobs: bad.length, blobs, lost });
  }

  #lostOf({ id }: PackFacts, header: PackVerdict['header'], bad: readonly PackEntry[]): LostOfPack {
    const blobs = new Set([...bad, ...(this.#ownBad.get(id) ?? [])].map((blob) => toHex(blob.id)));
    return { isListLost: header === 'damaged', blobs: [...blobs].sort() };
  }

  /** The bytes of a pack, zeros where the disk refuses some; undefined, and said, when there are none to have. */
  async #get(pack: PackFacts, room: ReusedMemory): Promise<Uint8Array | undefined> {
    const { store } = this.#parts;
    try {
      return await room.get(store, packName(pack.id), undefined, this.#signal);
    } catch (error) {
      if (hasCode(error, 'REPOSITORY_CORRUPT'))
        return readInPieces(store, packName(pack.id), pack.storedBytes ?? 0, this.#signal);
      if (!hasCode(error, 'OBJECT_NOT_FOUND', 'DESTINATION_DENIED')) throw error;
      const isMissing = error.code === 'OBJECT_NOT_FOUND';
      if (isMissing) this.#whereabouts.markMissing(pack.number);
      this.damaged.push({ pack, what: isMissing ? 'missing' : 'denied', badBlobs: 0, blobs: 0, error });
      return undefined;
    }
  }

  async #tryElsewhere(): Promise<void> {
    const sealer = new Sealer(this.#parts.key);
    for (const { type, id } of this.#bad) {
      for (const place of this.#whereabouts.index.findAll(type, id)) {
        if (this.#whereabouts.isBad(place)) continue;
        if (await this.#opensAt(sealer, place)) continue;
        this.#whereabouts.markBad(this.#whereabouts.packs.find(place.pack)!, place);
      }
    }
  }

  async #opensAt(sealer: Sealer, place: PackEntry & { pack: Uint8Array }): Promise<boolean> {
    const { pack, offset, length } = place;
    try {
      const sealed = await this.#parts.store.get(packName(toHex(pack)), { offset, length }, this.#signal);
      openBlob(sealer, place, sealed);
      return true;
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT', 'OBJECT_NOT_FOUND')) throw error;
      return false;
    }
  }
}
