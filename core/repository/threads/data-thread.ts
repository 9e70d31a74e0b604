import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../../clock.ts';
import type {
  BackupThreadContext,
  Content,
  FileEnd,
  RestoreThreadContext,
  ThreadModule,
  ThreadSession,
} from '../../driver/index.ts';
import { emptyContent } from '../../driver/index.ts';
import { fromPlainError, toPlainError } from '../../plain-error.ts';
import type { BlobRun } from '../blob-fetcher.ts';
import { type SharedIndexData, sharedHas } from '../blob-index.ts';
import { idBytes, idOf } from '../format/blob-id.ts';
import { BlobOpener } from '../format/blob-opener.ts';
import { maxBytes } from '../format/chunker.ts';
import { NodeMatcher } from '../format/node-matcher.ts';
import { type FinishedPack, openBlob, PackBuilder } from '../format/pack.ts';
import { release } from '../format/release.ts';
import { Sealer } from '../format/sealer.ts';
import { storedNodes } from '../format/stored-nodes.ts';
import { decodeNodes, encodeNodes } from '../format/tree.ts';
import { NewBlobs } from '../new-blobs.ts';
import { ContentIds, contentWriter, FilePartReader } from './content-writer.ts';
import type { FromThread, ScatterBatch, ScatterRange, ThreadData, ToThread } from './messages.ts';
import { openRun } from './open-run.ts';
import { PackBuffers } from './pack-buffers.ts';

/** Runs a driver's thread module: takes calls from the main thread, one at a time, until `close`. */
export async function runDataThread(port: MessagePort, data: ThreadData): Promise<void> {
  const thread = new DataThread(port, data);
  try {
    await thread.open();
  } catch (error) {
    post(port, { type: 'failed', error: toPlainError(error) });
  }
}

class DataThread {
  readonly #port: MessagePort;
  readonly #data: ThreadData;
  readonly #sealer: Sealer;
  readonly #blobs: BlobWriter | undefined;
  readonly #fetches = new Map<number, (message: ToThread & { type: 'fetched' }) => void>();
  #session: ThreadSession<unknown, unknown> | undefined;
  #batch: ScatterBatch = { tasks: [], remaining: new Int32Array(0), damaged: new Int32Array(0) };
  /** Of a restore. */
  #opener: BlobOpener | undefined;
  #nextFetch = 0;
  #progress = { bytes: 0, items: 0, toldAtMs: 0 };

  constructor(port: MessagePort, data: ThreadData) {
    this.#port = port;
    this.#data = data;
    this.#sealer = new Sealer(data.key);
    this.#blobs = data.writing && new BlobWriter(port, this.#sealer, data.writing);
  }

  async open(): Promise<void> {
    const module = (await import(this.#data.module)) as ThreadModule<
      unknown,
      unknown,
      unknown,
      BackupThreadContext | RestoreThreadContext
    >;
    let tail = Promise.resolve();
    this.#port.on('message', (message: ToThread) => {
      if (message.type === 'fetched') this.#fetches.get(message.request)?.(message);
      else tail = tail.then(() => this.#answer(message));
    });
    this.#session = await module.open(this.#data.setup, this.#context());
    post(this.#port, { type: 'ready' });
  }

  async #answer(message: Exclude<ToThread, { type: 'fetched' }>): Promise<void> {
    try {
      const result = await this.#perform(message);
      this.#tellProgress(true);
      post(this.#port, { type: 'done', call: message.call, result });
    } catch (error) {
      post(this.#port, { type: 'done', call: message.call, error: toPlainError(error) });
    }
  }

  #perform(message: Exclude<ToThread, { type: 'fetched' }>): unknown {
    switch (message.type) {
      case 'run':
        return this.#session!.run!(message.task);
      case 'batch':
        this.#batch = message;
        return undefined;
      case 'scatter':
        return this.#scatter(message.range);
      case 'finish':
        for (const file of message.files) this.#end(file);
        return undefined;
      case 'lost':
        for (const { file, blobs } of message.files) this.#lose(file, blobs);
        return undefined;
      case 'close':
        return this.#close();
    }
  }

  async #close(): Promise<void> {
    await this.#session?.close();
    this.#blobs?.flush();
  }

  /** Gives which blobs of the range are damaged. */
  #scatter({ sealed, blobs }: ScatterRange): number[] {
    this.#opener ??= new BlobOpener(this.#sealer);
    const opener = this.#opener;
    const damaged: number[] = [];
    opener.all(() => {
      for (const [number, blob] of blobs.entries()) {
        opener.open(blob, sealed.subarray(blob.at, blob.at + blob.length), (plain) => {
          if (plain === undefined) damaged.push(number);
          else for (const { file, offset } of blob.targets) this.#deliver(file, offset, plain);
        });
      }
    });
    release(sealed.buffer);
    return damaged;
  }

  /** The last blob of a file may be written while another thread still writes one: whoever ends last says so. */
  #deliver(file: number, offset: number, plain: Uint8Array): void {
    const { tasks, remaining, damaged } = this.#batch;
    const only = Atomics.load(remaining, file) === 1;
    const goesOn = this.#session!.blob!(tasks[file], offset, plain, only ? this.#endOf(file) : undefined);
    // Marked before it is counted: whoever counts last sees every mark.
    if (!goesOn) Atomics.store(damaged, file, 1);
    if (Atomics.sub(remaining, file, 1) === 1 && !only) this.#end(file);
  }

  #lose(file: number, blobs: number): void {
    const { remaining, damaged } = this.#batch;
    Atomics.store(damaged, file, 1);
    if (Atomics.sub(remaining, file, blobs) === blobs) this.#end(file);
  }

  #end(file: number): void {
    this.#session!.blob!(this.#batch.tasks[file], 0, emptyContent.blobs, this.#endOf(file));
  }

  #endOf(file: number): FileEnd {
    return Atomics.load(this.#batch.damaged, file) === 0 ? 'whole' : 'damaged';
  }

  /** A backup writes, a restore reads: what a module has no business with, it does not get. */
  #context(): BackupThreadContext | RestoreThreadContext {
    const { thread, threads } = this.#data;
    const progress: BackupThreadContext['progress'] = (done) => this.#addProgress(done);
    const common = { thread, threads, progress };
    return this.#blobs === undefined
      ? { ...common, read: (content) => this.#read(content) }
      : { ...common, ...writingOf(this.#blobs, this.#sealer) };
  }

  #addProgress(done: { bytes?: number; items?: number }): void {
    this.#progress.bytes += done.bytes ?? 0;
    this.#progress.items += done.items ?? 0;
    this.#tellProgress(false);
  }

  /** One run of blobs is fetched ahead while the one before is used. */
  async *#read(content: Content): AsyncGenerator<Uint8Array> {
    let at = 0;
    let coming = this.#fetch(content, at);
    while (at < content.blobs.length) {
      const run = await coming;
      const start = at;
      at += run.blobs.length * idBytes;
      coming = this.#fetch(content, at);
      coming.catch(() => {}); // awaited in the next round, unless the reader stops before
      yield* openRun(this.#sealer, run, content.blobs.subarray(start, at), (id, place) => this.#ask(id, place));
    }
  }

  async #fetch(content: Content, at: number): Promise<BlobRun> {
    const ids = content.blobs.subarray(at, at + 64 * idBytes);
    if (ids.length === 0) return { pack: ids, sealed: new Uint8Array(0), blobs: [] };
    return this.#ask(ids, 0);
  }

  async #ask(ids: Uint8Array, place: number): Promise<BlobRun> {
    const request = this.#nextFetch++;
    const answer = await new Promise<ToThread & { type: 'fetched' }>((resolve) => {
      this.#fetches.set(request, resolve);
      post(this.#port, { type: 'fetch', request, ids: new Uint8Array(ids), place });
    });
    this.#fetches.delete(request);
    if (answer.error !== undefined) throw fromPlainError(answer.error, 'in a data thread');
    return answer.run!;
  }

  #tellProgress(now: boolean): void {
    const { bytes, items, toldAtMs } = this.#progress;
    const nowMs = systemClock.monotonicMs();
    if (!now && nowMs - toldAtMs < progressEveryMs) return;
    this.#progress = { bytes: 0, items: 0, toldAtMs: nowMs };
    if (bytes > 0 || items > 0) post(this.#port, { type: 'progress', bytes, items });
  }
}

const progressEveryMs = 100;

/** Memory of one blob after the other: none is kept. */
class Room {
  #bytes = Buffer.alloc(0);

  of(bytes: number): Buffer<ArrayBuffer> {
    if (this.#bytes.length < bytes) this.#bytes = Buffer.allocUnsafeSlow(Math.max(bytes, 64 * 1024));
    return this.#bytes.subarray(0, bytes);
  }
}

/** Hashes, deduplicates, compresses and seals; hands full packs to the main thread. */
class BlobWriter {
  readonly #port: MessagePort;
  readonly #index: SharedIndexData;
  readonly #newBlobs: NewBlobs;
  readonly #builder: PackBuilder;
  readonly #packs: PackBuffers;
  readonly #holes = new Holes();
  /** The number of the buffer that is being filled. */
  #lent: number | undefined;

  constructor(port: MessagePort, sealer: Sealer, writing: NonNullable<ThreadData['writing']>) {
    this.#port = port;
    this.#index = writing.index;
    this.#newBlobs = new NewBlobs(writing.newBlobs);
    this.#packs = new PackBuffers(writing.packs);
    this.#builder = new PackBuilder('data', sealer, () => this.#lend());
  }

  store(bytes: Uint8Array): Uint8Array {
    const id = this.#holes.has(bytes) ? this.#holes.id : idOf(bytes);
    if (!sharedHas(this.#index, id) && this.#newBlobs.insert(id)) this.#add(id, bytes);
    return id;
  }

  /** From now on whoever has this blob takes it for stored. When it is not, no driver may go on past that: the pool ends. */
  #add(id: Uint8Array, bytes: Uint8Array): void {
    try {
      this.#hand(this.#builder.add(id, bytes));
    } catch (error) {
      post(this.#port, { type: 'failed', error: toPlainError(error) });
      throw error;
    }
  }

  has({ blobs }: Content): boolean {
    for (let at = 0; at < blobs.length; at += idBytes) {
      if (!this.hasBlob(blobs.subarray(at, at + idBytes))) return false;
    }
    return true;
  }

  hasBlob(id: Uint8Array): boolean {
    return sharedHas(this.#index, id);
  }

  flush(): void {
    this.#hand(this.#builder.finish());
  }

  #hand(pack: FinishedPack | undefined): void {
    if (pack === undefined) return;
    const lent = this.#lent;
    this.#lent = undefined;
    const { buffer } = pack;
    if (!(buffer instanceof ArrayBuffer)) post(this.#port, { type: 'pack', pack, lent });
    else {
      this.#packs.giveBack(lent); // it was too small
      post(this.#port, { type: 'pack', pack, lent: undefined }, [buffer]);
    }
  }

  #lend(): Buffer | undefined {
    const buffer = this.#packs.take();
    this.#lent = buffer?.number;
    return buffer?.bytes;
  }
}

/** Holes of sparse files come as chunks of the largest size: to compare them is much cheaper than to hash them. */
class Holes {
  #zeros: Buffer | undefined;
  #id: Uint8Array | undefined;

  get id(): Uint8Array {
    this.#id ??= idOf(Buffer.alloc(maxBytes));
    return this.#id;
  }

  has(bytes: Uint8Array): boolean {
    if (bytes.length !== maxBytes || bytes[0] !== 0) return false;
    this.#zeros ??= Buffer.alloc(maxBytes);
    return this.#zeros.equals(bytes);
  }
}

function writingOf(blobs: BlobWriter, sealer: Sealer): Omit<BackupThreadContext, 'thread' | 'threads' | 'progress'> {
  const store = (bytes: Uint8Array) => blobs.store(bytes);
  const parts = new FilePartReader(store);
  const stored = { matcher: new NodeMatcher(), has: (id: Uint8Array) => blobs.hasBlob(id) };
  const room = new Room();
  return {
    writer: (chunking) => contentWriter(chunking, store),
    filePart: (descriptor, part, fileSizeBytes) => parts.store(descriptor, part, fileSizeBytes),
    blob: (bytes) => blobContent(blobs, bytes),
    has: (content) => blobs.has(content),
    encodeNodes,
    decodeNodes,
    openTree: (tree) => openBlob(sealer, tree, tree.sealed, (bytes) => room.of(bytes)),
    storedNodes: (encoded) => storedNodes(encoded, stored),
  };
}

function blobContent(blobs: BlobWriter, bytes: Uint8Array): Content {
  if (bytes.length === 0) return emptyContent;
  const ids = new ContentIds();
  ids.add(blobs.store(bytes), bytes.length);
  return ids.end();
}

function post(port: MessagePort, message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
