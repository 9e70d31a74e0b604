import { constants, readSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Clock } from '../../../core/clock.ts';
import type { BackupThreadContext, Content, ExtendedAttribute } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import { type Native, openNoAtime } from '../system/native.ts';
import { type FileStat, isSameState } from '../system/stat.ts';
import type { NodeReader } from './node-reader.ts';

export interface FileRead {
  readonly stat: FileStat;
  readonly content: Content;
  readonly attributes: readonly ExtendedAttribute[] | undefined;
  /** Set when it changed during every attempt. `stat` is then from before the last one, so that it is read again. */
  readonly change?: FileChange;
}

/**
 * `around`: a reading after the last gave the same bytes, so they are all of the moment between the two (it grew, or only
 * its times changed). `torn`: it gave others, so what was read may be of several moments.
 */
export type FileChange = { readonly kind: 'around'; readonly at: Date } | { readonly kind: 'torn' };

/** Files from this size on are read in parts, by several threads at once. */
export const largeFileBytes = 64 * 1024 * 1024;
const attempts = 3;
/** Such a file was read in parts before it came here. */
const attemptsOfLarge = 1;
const giveUpAfter = 10;
/** One blob in any case, as the chunker makes none smaller. */
const smallFileBytes = 512 * 1024;
/** File systems stamp times with the kernel's tick; a later change within one tick would look like none. */
const clockTickMs = 20;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads files into blobs. One per thread: it reuses its buffer. */
export class FileReader {
  readonly #native: Native;
  readonly #nodes: NodeReader;
  readonly #context: BackupThreadContext;
  readonly #clock: Clock;
  readonly #buffer = Buffer.allocUnsafeSlow(smallFileBytes);

  constructor(native: Native, nodes: NodeReader, context: BackupThreadContext, clock: Clock) {
    this.#native = native;
    this.#nodes = nodes;
    this.#context = context;
    this.#clock = clock;
  }

  /** Throws the system's error when it cannot be opened or read, ENOENT when it is no regular file any more. */
  read(folder: number, name: string): FileRead {
    const descriptor = this.open(folder, name);
    try {
      return this.#readSteady(descriptor);
    } finally {
      this.#native.close(descriptor);
    }
  }

  /** Without leaving an access time, where the owner allows it. The caller closes the descriptor. */
  open(folder: number, name: string): number {
    try {
      return this.#native.open(folder, name, readFlags | openNoAtime);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      return this.#native.open(folder, name, readFlags);
    }
  }

  #readSteady(descriptor: number): FileRead {
    let before = this.#regular(descriptor);
    for (let attempt = 1; ; attempt++) {
      this.#letClockTick(before);
      const content = this.#readOnce(descriptor, before.sizeBytes);
      const attributes = this.#nodes.attributes(descriptor, before, undefined);
      const after = this.#regular(descriptor);
      const steady = content?.sizeBytes === before.sizeBytes && isSameState(before, after);
      const most = before.sizeBytes < largeFileBytes ? attempts : attemptsOfLarge;
      if (content && steady) return { stat: before, content, attributes };
      if (content && attempt >= most)
        return { stat: before, content, attributes, change: this.#change(descriptor, before.sizeBytes, content) };
      if (attempt >= giveUpAfter) throw fileError('EBUSY', 'it is made shorter again and again');
      before = after;
    }
  }

  #change(descriptor: number, sizeBytes: number, content: Content): FileChange {
    const at = this.#clock.now();
    const again = this.#readOnce(descriptor, sizeBytes);
    const isSame = again !== undefined && Buffer.compare(again.blobs, content.blobs) === 0;
    return isSame ? { kind: 'around', at } : { kind: 'torn' };
  }

  #regular(descriptor: number): FileStat {
    const stat = this.#native.stat(descriptor, '');
    if (stat.type === 'file') return stat;
    throw fileError('ENOENT', 'it is no file any more');
  }

  #letClockTick(stat: FileStat): void {
    const ageMs = this.#clock.now().getTime() - Number(stat.ctimeNs / 1_000_000n);
    if (ageMs < 0 || ageMs >= clockTickMs) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, clockTickMs - ageMs);
  }

  /** Nothing when the file became shorter meanwhile. */
  #readOnce(descriptor: number, sizeBytes: number): Content | undefined {
    if (sizeBytes <= smallFileBytes) return this.#context.blob(this.#readSmall(descriptor, sizeBytes));
    try {
      return this.#context.filePart(descriptor, { start: 0, end: sizeBytes }, sizeBytes);
    } catch (error) {
      if (hasCode(error, 'SOURCE_CHANGED')) return undefined;
      throw error;
    }
  }

  #readSmall(descriptor: number, sizeBytes: number): Uint8Array {
    let have = 0;
    while (have < sizeBytes) {
      const read = readSync(descriptor, this.#buffer, have, sizeBytes - have, have);
      if (read === 0) break;
      have += read;
    }
    return this.#buffer.subarray(0, have);
  }
}

function fileError(code: 'ENOENT' | 'EBUSY', message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code, errno: -osConstants.errno[code] });
}
