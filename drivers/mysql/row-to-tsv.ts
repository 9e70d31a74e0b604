import { isEnd, readError } from './packets.ts';
import type { RowCutter } from './row-cutter.ts';
import { type Exchange, maxPacketBytes } from './wire.ts';

/**
 * Turns the text protocol's row packets into lines of TSV as LOAD DATA reads them: `\t` between values, `\n` after a
 * row, `\N` for NULL, and `\t`, `\n`, `\\`, `\0` written as backslash escapes. Everything else is the server's bytes.
 *
 * This is the hottest code of a dump, hence its form: packets are parsed in one reused buffer, no object is made per
 * row or value. A row without NULL, long values and bytes to escape, which is most rows, is copied whole: in a packet
 * each value has one byte of length in front, in a line one tab or newline behind, so only those bytes are patched.
 * Text is searched for bytes to escape four at a time; numbers and times need no search.
 */
export class RowsToTsv implements Exchange {
  rows = 0;
  /** Per column: may its values hold bytes to escape? */
  readonly #escaped: Uint8Array;
  readonly #out: RowCutter;
  #state: 'header' | 'columns' | 'rows' = 'header';
  /** Bytes `#from` to `#to` came from the server and are not parsed yet. */
  #input: Uint8Array;
  #words: Int32Array;
  #from = 0;
  #to = 0;
  /** The parts so far of a packet of 16 MiB or more. */
  #large: Uint8Array[] = [];

  constructor(escaped: readonly boolean[], out: RowCutter) {
    this.#escaped = Uint8Array.from(escaped, Number);
    this.#out = out;
    this.#input = new Uint8Array(initialInputBytes);
    this.#words = new Int32Array(this.#input.buffer);
  }

  take(chunk: Uint8Array): boolean {
    this.#append(chunk);
    for (;;) {
      if (this.#state === 'rows') this.#copyRows();
      const length = this.#nextLength();
      if (length < 0) return false;
      const body = this.#input.subarray(this.#from + 4, this.#from + 4 + length);
      this.#from += 4 + length;
      if (this.#packet(body)) return true;
    }
  }

  #append(chunk: Uint8Array): void {
    const left = this.#to - this.#from;
    if (left + chunk.length > this.#input.length) this.#grow(left + chunk.length);
    else if (this.#from > 0) this.#input.copyWithin(0, this.#from, this.#to);
    this.#from = 0;
    this.#input.set(chunk, left);
    this.#to = left + chunk.length;
  }

  #grow(sizeBytes: number): void {
    const larger = new Uint8Array(Math.ceil((sizeBytes * 1.5) / 4) * 4);
    larger.set(this.#input.subarray(this.#from, this.#to));
    this.#input = larger;
    this.#words = new Int32Array(larger.buffer);
  }

  /** Length of the next packet's body, or -1 while it is not complete. */
  #nextLength(): number {
    if (this.#to - this.#from < 4) return -1;
    const input = this.#input;
    const at = this.#from;
    const length = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
    return this.#to - at - 4 < length ? -1 : length;
  }

  /** Any packet that `#copyRows` leaves; true at the end of the answer. */
  #packet(body: Uint8Array): boolean {
    if (body[0] === 0xff && this.#large.length === 0) throw readError(Buffer.from(body));
    if (this.#state === 'header') {
      if (body[0] === 0 || body[0] === 0xfb) throw new Error('the server answered a query without rows');
      this.#state = 'columns';
    } else if (this.#state === 'columns') {
      if (isEnd(body as Buffer)) this.#state = 'rows';
    } else if (this.#large.length === 0 && isEnd(body as Buffer)) {
      this.#out.end();
      return true;
    } else this.#largePart(body);
    return false;
  }

  #largePart(body: Uint8Array): void {
    this.#large.push(body.slice());
    if (body.length === maxPacketBytes) return;
    const row = Buffer.concat(this.#large);
    this.#large = [];
    this.#out.reserve(2 * row.length + rowSlack);
    this.#out.endRow(this.#escapeRow(row, 0, row.length, this.#out.at));
    this.rows++;
  }

  /** Converts all complete rows, up to a packet that is not a plain row. */
  #copyRows(): void {
    if (this.#large.length > 0) return;
    const input = this.#input;
    const to = this.#to;
    let from = this.#from;
    while (to - from >= 4) {
      const length = input[from]! | (input[from + 1]! << 8) | (input[from + 2]! << 16);
      const start = from + 4;
      const end = start + length;
      if (end > to || length === maxPacketBytes) break;
      if (length < 9 && input[start] === 0xfe) break;
      if (input[start] === 0xff) break;
      this.#out.reserve(2 * length + rowSlack);
      this.#out.endRow(this.#copyRow(start, end, this.#out.at));
      this.rows++;
      from = end;
    }
    this.#from = from;
  }

  /** One row from `start` to `end` of the input to `at` of the output; gives where its line ends. */
  #copyRow(start: number, end: number, at: number): number {
    const input = this.#input;
    const out = this.#out.bytes;
    const escaped = this.#escaped;
    const lineBytes = end - start - 1;
    if (lineBytes > shortBytes) out.set(input.subarray(start + 1, end), at);
    else for (let from = start + 1, to = at; from < end; from++) out[to++] = input[from]!;
    const shift = at - start - 1;
    for (let from = start, column = 0; from < end; column++) {
      const length = input[from]!;
      if (length > 250) return this.#escapeRow(input, start, end, at);
      if (column > 0) out[from + shift] = tab;
      from++;
      if (escaped[column] === 1 && this.#hasSpecial(from, from + length)) return this.#escapeRow(input, start, end, at);
      from += length;
    }
    out[at + lineBytes] = newline;
    return at + lineBytes + 1;
  }

  /** May bytes `from` to `to` of the input need escaping? Never misses one; a control character may be a false alarm. */
  #hasSpecial(from: number, to: number): boolean {
    const input = this.#input;
    const words = this.#words;
    while ((from & 3) !== 0 && from < to) if (escapes[input[from++]!] !== 0) return true;
    const lastWord = to >> 2;
    for (let at = from >> 2; at < lastWord; at++) {
      const word = words[at]!;
      const slash = word ^ 0x5c5c5c5c;
      if (((((word - 0x0b0b0b0b) & ~word) | ((slash - 0x01010101) & ~slash)) & 0x80808080) !== 0) return true;
    }
    if (from < lastWord << 2) from = lastWord << 2;
    while (from < to) if (escapes[input[from++]!] !== 0) return true;
    return false;
  }

  /** Any row, value by value. */
  #escapeRow(input: Uint8Array, start: number, end: number, at: number): number {
    const out = this.#out.bytes;
    for (let from = start, column = 0; from < end; column++) {
      if (column > 0) out[at++] = tab;
      const first = input[from++]!;
      if (first === nullMark) {
        out[at++] = backslash;
        out[at++] = capitalN;
        continue;
      }
      const lengthBytes = first < 251 ? 0 : first === 252 ? 2 : first === 253 ? 3 : 8;
      const length = lengthBytes === 0 ? first : readNumber(input, from, lengthBytes);
      from += lengthBytes;
      at = this.#escapeValue(input, from, from + length, at, this.#escaped[column] === 1);
      from += length;
    }
    out[at++] = newline;
    return at;
  }

  #escapeValue(input: Uint8Array, from: number, to: number, at: number, mayEscape: boolean): number {
    const out = this.#out.bytes;
    const plain = !mayEscape || (input === this.#input && !this.#hasSpecial(from, to));
    if (plain && to - from > shortBytes) {
      out.set(input.subarray(from, to), at);
      return at + to - from;
    }
    for (; from < to; from++) {
      const byte = input[from]!;
      const escape = escapes[byte]!;
      if (escape !== 0) out[at++] = backslash;
      out[at++] = escape !== 0 ? escape : byte;
    }
    return at;
  }
}

const initialInputBytes = 256 * 1024;
const rowSlack = 64;
/** Below this, a loop copies faster than a call. */
const shortBytes = 40;

const tab = 0x09;
const newline = 0x0a;
const backslash = 0x5c;
const capitalN = 0x4e;
const nullMark = 0xfb;

/** For each byte the letter behind its backslash, or 0. */
const escapes = new Uint8Array(256);
escapes[0x00] = 0x30;
escapes[tab] = 0x74;
escapes[newline] = 0x6e;
escapes[backslash] = backslash;

function readNumber(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let one = count - 1; one >= 0; one--) value = value * 256 + bytes[at + one]!;
  return value;
}
