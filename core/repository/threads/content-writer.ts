import fs from 'node:fs';
import type { Chunking, Content, ContentWriter, FilePart } from '../../driver/index.ts';
import { TidemarkError } from '../../error.ts';
import { idBytes } from '../format/blob-id.ts';
import { findCut, maxBytes, nextCut, windowBytes } from '../format/chunker.ts';
import { release } from '../format/release.ts';

/** Stores one blob and gives its id. */
export type StoreBlob = (bytes: Uint8Array) => Uint8Array;

/** Gathers the ids of the blobs of a file. */
export class ContentIds {
  #ids: Buffer = Buffer.alloc(idBytes);
  #length = 0;
  #sizeBytes = 0;

  add(id: Uint8Array, sizeBytes: number): void {
    if (this.#length === this.#ids.length) this.#ids = Buffer.concat([this.#ids], this.#ids.length * 2);
    this.#ids.set(id, this.#length);
    this.#length += idBytes;
    this.#sizeBytes += sizeBytes;
  }

  end(): Content {
    return { blobs: new Uint8Array(this.#ids.subarray(0, this.#length)), sizeBytes: this.#sizeBytes };
  }
}

/** Cuts a stream into blobs as `chunking` says. */
export function contentWriter(chunking: Chunking, store: StoreBlob): ContentWriter {
  const ids = new ContentIds();
  const pending = new Pending();
  const storePending = (length: number) => {
    const bytes = pending.bytes.subarray(0, length);
    ids.add(store(bytes), length);
    pending.drop(length);
  };
  const cutWhole = (atLeast: number, cut: (bytes: Uint8Array) => number) => {
    while (pending.bytes.length >= atLeast) storePending(cut(pending.bytes));
  };
  return {
    write(bytes) {
      pending.append(bytes);
      if (chunking.by === 'content') cutWhole(maxBytes, (all) => nextCut(all, 0, all.length));
      else if (chunking.by === 'fixed') cutWhole(chunking.sizeBytes, () => chunking.sizeBytes);
      else cutWhole(maxBytes, () => maxBytes);
    },
    cut() {
      if (pending.bytes.length > 0) storePending(pending.bytes.length);
    },
    end() {
      while (pending.bytes.length > 0) {
        storePending(
          chunking.by === 'content' ? nextCut(pending.bytes, 0, pending.bytes.length) : pending.bytes.length,
        );
      }
      return ids.end();
    },
  };
}

/** Bytes that wait to be cut, in one buffer that is reused. */
class Pending {
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #start = 0;
  #end = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  drop(length: number): void {
    this.#start += length;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  #makeRoom(bytes: number): void {
    const held = this.#end - this.#start;
    const into =
      held + bytes <= this.#buffer.length
        ? this.#buffer
        : Buffer.allocUnsafeSlow(Math.max(held + bytes, this.#buffer.length * 2));
    this.#buffer.copy(into, 0, this.#start, this.#end);
    this.#buffer = into;
    this.#start = 0;
    this.#end = held;
  }
}

/** Room for nearly every chunk, and for the largest and the window before an edge. */
const readBytes = 4 * 1024 * 1024;
const mostReadBytes = maxBytes + windowBytes;
const edgeStepBytes = 1024 * 1024;

/** Stores parts of open files. One per thread: its buffer is reused. */
export class FilePartReader {
  readonly #store: StoreBlob;
  #buffer = Buffer.alloc(0);

  constructor(store: StoreBlob) {
    this.#store = store;
  }

  /** See `BackupThreadContext.filePart`. Throws SOURCE_CHANGED when the file ends before the part does. */
  store(descriptor: number, part: { start: number; end: number }, fileSizeBytes: number): FilePart {
    if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(readBytes);
    const start = this.#edge(descriptor, part.start, fileSizeBytes);
    const end = this.#edge(descriptor, part.end, fileSizeBytes);
    const ids = new ContentIds();
    let held = 0;
    for (let position = start; position < end || held > 0; ) {
      const have = this.#fill(descriptor, position, end, held);
      position += have - held;
      let at = 0;
      while (at < have) {
        const cut = nextCut(this.#buffer, at, have);
        const undecided = cut === have && cut - at < maxBytes && position < end; // more bytes may move the cut
        if (undecided) break;
        ids.add(this.#store(this.#buffer.subarray(at, cut)), cut - at);
        at = cut;
      }
      this.#buffer.copyWithin(0, at, have);
      held = have - at;
      if (held === this.#buffer.length) this.#grow();
    }
    return { ...ids.end(), start, end };
  }

  /** A chunk goes on behind what there is room for. */
  #grow(): void {
    const small = this.#buffer;
    this.#buffer = Buffer.allocUnsafeSlow(mostReadBytes);
    small.copy(this.#buffer);
    release(small.buffer);
  }

  /** Where a part really begins or ends: at the first cut behind the wanted edge, which depends on content only. */
  #edge(descriptor: number, wanted: number, fileSizeBytes: number): number {
    if (wanted <= 0) return 0;
    if (wanted >= fileSizeBytes) return fileSizeBytes;
    const last = Math.min(fileSizeBytes, wanted + maxBytes);
    for (let from = wanted; from < last; from += edgeStepBytes) {
      const start = Math.max(0, from - windowBytes);
      const have = this.#fill(descriptor, start, Math.min(last, from + edgeStepBytes + 1)); // a cut at the end shows as none
      const cut = start + findCut(this.#buffer, from - start, have);
      if (cut < start + have) return cut;
    }
    return last;
  }

  /** Reads from `position` behind the `held` bytes of the buffer; gives how many bytes the buffer has then. */
  #fill(descriptor: number, position: number, end: number, held = 0): number {
    const wanted = Math.min(this.#buffer.length, held + end - position);
    let have = held;
    while (have < wanted) {
      const read = fs.readSync(descriptor, this.#buffer, have, wanted - have, position + have - held);
      if (read === 0) throw new TidemarkError('SOURCE_CHANGED', 'a file became shorter while it was read');
      have += read;
    }
    return have;
  }
}
