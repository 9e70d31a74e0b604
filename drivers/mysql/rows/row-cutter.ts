import { type Content, maxBlobBytes, minBlobBytes } from '../../../core/driver/index.ts';

/**
 * Gathers lines and cuts them into blobs, only between rows and only where the content says so: a row that was not
 * changed is cut as it was yesterday, so a daily dump stores what changed, and an inserted row moves no later cut. The
 * hash looks at the first bytes of a row, where the key usually is; rows are hit in proportion to their length, so
 * blobs come out at `targetBytes` whatever the rows look like.
 */
export class RowCutter {
  /**
   * Rows are written from `at` on, after `reserve`. Behind `outputBytes` is room for the server's packets that are not
   * rows yet: in one array with the output, a row is copied without making a view of it.
   */
  bytes = new Uint8Array(maxBlobBytes + slackBytes + inputBytes);
  words = new Int32Array(this.bytes.buffer);
  outputBytes = maxBlobBytes + slackBytes;
  at = 0;
  totalBytes = 0;
  readonly #store: (blob: Uint8Array) => Content;
  #contents: Content[] = [];

  /** `store` takes at most 8 MiB at a time and consumes them before it returns. */
  constructor(store: (blob: Uint8Array) => Content) {
    this.#store = store;
  }

  /** Makes room for `sizeBytes` more of output. `bytes` and `outputBytes` may be others afterwards. */
  reserve(sizeBytes: number): void {
    if (this.at + sizeBytes <= this.outputBytes) return;
    this.#cut();
    if (sizeBytes > this.outputBytes) this.#resize(sizeBytes, this.bytes.length - this.outputBytes);
  }

  /** Makes the room behind `outputBytes` at least this large. `bytes` may be another array afterwards. */
  reserveInput(sizeBytes: number): void {
    if (this.outputBytes + sizeBytes > this.bytes.length) this.#resize(this.outputBytes, sizeBytes * 1.5);
  }

  #resize(outputBytes: number, inputBytes: number): void {
    const before = this.bytes;
    const input = before.subarray(this.outputBytes);
    this.outputBytes = Math.ceil(outputBytes / 4) * 4;
    this.bytes = new Uint8Array(this.outputBytes + Math.ceil(inputBytes / 4) * 4);
    this.bytes.set(before.subarray(0, this.at));
    this.bytes.set(input, this.outputBytes);
    this.words = new Int32Array(this.bytes.buffer);
  }

  /** The row that starts at `at` was written up to `end`. */
  endRow(end: number): void {
    const start = this.at;
    this.at = end;
    if (end < minBlobBytes) return;
    if (end >= maxBlobBytes || this.#hits(start, end)) this.#cut();
  }

  #hits(start: number, end: number): boolean {
    const { bytes } = this;
    const stop = Math.min(end, start + keyBytes);
    let hash = 0x811c9dc5;
    for (let at = start; at < stop; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash ^= hash >>> 13;
    return hash >>> 0 < (end - start) * (2 ** 32 / (targetBytes - minBlobBytes));
  }

  #cut(): void {
    for (let from = 0; from < this.at; from += maxBlobBytes) {
      this.#contents.push(this.#store(this.bytes.subarray(from, Math.min(from + maxBlobBytes, this.at))));
    }
    this.totalBytes += this.at;
    this.at = 0;
  }

  /** Begins another file; what was not ended is dropped. The buffers stay. */
  begin(): void {
    this.at = 0;
    this.totalBytes = 0;
    this.#contents = [];
  }

  /** Stores what is left. */
  end(): void {
    this.#cut();
  }

  /** The file, after `end`. */
  content(): Content {
    const blobs = Buffer.concat(this.#contents.map((one) => one.blobs));
    return { blobs: new Uint8Array(blobs), sizeBytes: this.totalBytes };
  }
}

const targetBytes = 1024 * 1024;
const slackBytes = 1024 * 1024;
const inputBytes = 256 * 1024;
const keyBytes = 16;
