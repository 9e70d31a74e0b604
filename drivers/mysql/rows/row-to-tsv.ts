import { isEnd, readError } from '../protocol/packets.ts';
import { type Exchange, maxPacketBytes } from '../protocol/wire.ts';
import type { RowCutter } from './row-cutter.ts';

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
  /** Bytes `#from` to `#to`, counted from the start of the input, came from the server and are not parsed yet. */
  #from = 0;
  #to = 0;
  /** The parts so far of a packet of 16 MiB or more. */
  #large: Uint8Array[] = [];

  constructor(escaped: readonly boolean[], out: RowCutter) {
    this.#escaped = Uint8Array.from(escaped, Number);
    this.#out = out;
  }

  take(chunk: Uint8Array): boolean {
    this.#append(chunk);
    for (;;) {
      if (this.#state === 'rows') this.#copyRows();
      const length = this.#nextLength();
      if (length < 0) return false;
      const start = this.#out.outputBytes + this.#from + 4;
      this.#from += 4 + length;
      if (this.#packet(this.#out.bytes.slice(start, start + length))) return true;
    }
  }

  /** Bytes are moved only when the room is used up, or a packet of many chunks would be moved with each. */
  #append(chunk: Uint8Array): void {
    const out = this.#out;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    if (out.outputBytes + this.#to + chunk.length > out.bytes.length) this.#moveToStart(chunk.length);
    out.bytes.set(chunk, out.outputBytes + this.#to);
    this.#to += chunk.length;
  }

  #moveToStart(neededBytes: number): void {
    const out = this.#out;
    out.bytes.copyWithin(out.outputBytes, out.outputBytes + this.#from, out.outputBytes + this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    out.reserveInput(this.#to + neededBytes);
  }

  /** Length of the next packet's body, or -1 while it is not complete. */
  #nextLength(): number {
    const left = this.#to - this.#from;
    if (left < 4) return -1;
    const length = readNumber(this.#out.bytes, this.#out.outputBytes + this.#from, 3);
    return left - 4 < length ? -1 : length;
  }

  /** Any packet that `#copyRows` leaves; true at the end of the answer. */
  #packet(body: Uint8Array): boolean {
    const isRow = this.#state === 'rows' && (this.#large.length > 0 || body.length >= 9 || body[0] !== endMark);
    if (body[0] === errorMark && (!isRow || this.#large.length === 0)) throw readError(Buffer.from(body));
    if (isRow) this.#largePart(body);
    else if (this.#state === 'rows') return this.#end();
    else if (this.#state === 'columns') this.#state = isEnd(body) ? 'rows' : 'columns';
    else if (body[0] === 0 || body[0] === nullMark) throw new Error('the server answered a query without rows');
    else this.#state = 'columns';
    return false;
  }

  #end(): boolean {
    this.#out.end();
    return true;
  }

  #largePart(body: Uint8Array): void {
    this.#large.push(body);
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
    const out = this.#out;
    let { bytes, outputBytes } = out;
    const to = this.#to;
    let from = this.#from;
    let rows = 0;
    while (to - from >= 4) {
      const at = outputBytes + from;
      const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      const first = bytes[at + 4]!;
      if (length > to - from - 4 || length === maxPacketBytes) break;
      if (first >= endMark && (first === errorMark || length < 9)) break;
      if (out.at + 2 * length + rowSlack > outputBytes) {
        out.reserve(2 * length + rowSlack);
        ({ bytes, outputBytes } = out);
      }
      const start = outputBytes + from + 4;
      out.endRow(this.#copyRow(bytes, start, start + length, out.at));
      rows++;
      from += length + 4;
    }
    this.#from = from;
    this.rows += rows;
  }

  /** One row from `start` to `end`; its line is written at `at`. Gives where the line ends. */
  #copyRow(bytes: Uint8Array, start: number, end: number, at: number): number {
    const escaped = this.#escaped;
    const lineBytes = end - start - 1;
    if (lineBytes > shortBytes) bytes.copyWithin(at, start + 1, end);
    else for (let from = start + 1, to = at; from < end; from++) bytes[to++] = bytes[from]!;
    const shift = at - start - 1;
    for (let from = start, column = 0; from < end; column++) {
      const length = bytes[from]!;
      if (length > 250) return this.#escapeRow(bytes, start, end, at);
      if (column > 0) bytes[from + shift] = tab;
      from++;
      if (escaped[column] === 1 && hasSpecial(bytes, this.#out.words, from, from + length)) {
        return this.#escapeRow(bytes, start, end, at);
      }
      from += length;
    }
    bytes[at + lineBytes] = newline;
    return at + lineBytes + 1;
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
      at = this.#copyValue(input, from, from + length, at, this.#escaped[column] === 1);
      from += length;
    }
    out[at++] = newline;
    return at;
  }

  #copyValue(input: Uint8Array, from: number, to: number, at: number, mayEscape: boolean): number {
    const { bytes, words } = this.#out;
    if (mayEscape && (input !== bytes || hasSpecial(bytes, words, from, to)))
      return escapeInto(bytes, at, input, from, to);
    const shift = at - from;
    if (input === bytes && to - from > shortBytes) bytes.copyWithin(at, from, to);
    else for (let one = from; one < to; one++) bytes[one + shift] = input[one]!;
    return to + shift;
  }
}

/** May bytes `from` to `to` need escaping? Never misses one; another control character may be a false alarm. */
function hasSpecial(bytes: Uint8Array, words: Int32Array, from: number, to: number): boolean {
  while ((from & 3) !== 0 && from < to) if (escapes[bytes[from++]!] !== 0) return true;
  const lastWord = to >> 2;
  for (let at = from >> 2; at < lastWord; at++) {
    const word = words[at]!;
    const slash = word ^ 0x5c5c5c5c;
    if (((((word - 0x0b0b0b0b) & ~word) | ((slash - 0x01010101) & ~slash)) & 0x80808080) !== 0) return true;
  }
  if (from < lastWord << 2) from = lastWord << 2;
  while (from < to) if (escapes[bytes[from++]!] !== 0) return true;
  return false;
}

function escapeInto(out: Uint8Array, at: number, input: Uint8Array, from: number, to: number): number {
  for (; from < to; from++) {
    const byte = input[from]!;
    const letter = escapes[byte]!;
    if (letter !== 0) out[at++] = backslash;
    out[at++] = letter !== 0 ? letter : byte;
  }
  return at;
}

const rowSlack = 64;
/** Below this, a loop copies faster than a call. */
const shortBytes = 40;

const tab = 0x09;
const newline = 0x0a;
const backslash = 0x5c;
const capitalN = 0x4e;
const nullMark = 0xfb;
const endMark = 0xfe;
const errorMark = 0xff;

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
