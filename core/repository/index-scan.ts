import { idBytes } from './format/blob-id.ts';
import type { PackEntry } from './format/pack.ts';
import { release } from './format/release.ts';

/**
 * What an index document says. A blob and its id may be the same object each time: they hold until the next one, and the
 * whole until it is disposed of.
 */
export interface IndexContent extends Disposable {
  readonly holder: string | undefined;
  packs(): Iterable<{ readonly id: Uint8Array; readonly blobs: Iterable<PackEntry> }>;
}

/**
 * The content of an index document whose JSON is written just as restic and Tidemark write it: nothing between the
 * signs, fields in their order. Undefined for any other text, which `JSON.parse` may judge; what this gives is what that
 * would say. An object for each of 50,000 blobs costs ten times as much memory, and twice the time.
 */
export function scanIndex(text: Uint8Array): IndexContent | undefined {
  return new IndexScan(text).run();
}

class IndexScan {
  readonly #text: Uint8Array;
  readonly #ids: Uint8Array;
  /** Per blob: 1 for a tree, offset, sealed length, plain length (0: not compressed). */
  readonly #fields: Uint32Array;
  readonly #packs: { readonly id: Uint8Array; readonly start: number; end: number }[] = [];
  #at = 0;
  #blobs = 0;
  #holder: string | undefined;

  constructor(text: Uint8Array) {
    const most = Math.ceil(text.length / shortestBlob.length);
    this.#text = text;
    this.#ids = new Uint8Array(most * idBytes);
    this.#fields = new Uint32Array(most * fieldsPerBlob);
  }

  run(): IndexContent | undefined {
    if (!this.#takes('{"packs":') || !this.#list(() => this.#pack())) return undefined;
    if (this.#takes(',"holder":"') && !this.#holderText()) return undefined;
    if (!this.#takes('}')) return undefined;
    while (this.#takes('\n'));
    if (this.#at < this.#text.length) return undefined;
    return { holder: this.#holder, packs: () => this.#content(), [Symbol.dispose]: () => this.#release() };
  }

  #release(): void {
    release(this.#ids.buffer);
    release(this.#fields.buffer);
  }

  /** Whether all of a list could be read, from its bracket to its bracket. */
  #list(item: () => boolean): boolean {
    if (!this.#takes('[')) return false;
    if (this.#takes(']')) return true;
    do {
      if (!item()) return false;
    } while (this.#takes(','));
    return this.#takes(']');
  }

  #pack(): boolean {
    const id = new Uint8Array(idBytes);
    const pack = { id, start: this.#blobs, end: this.#blobs };
    if (!this.#takes('{"id":"') || !this.#hex(id, 0) || !this.#takes('","blobs":')) return false;
    if (!this.#list(() => this.#blob()) || !this.#takes('}')) return false;
    pack.end = this.#blobs;
    this.#packs.push(pack);
    return true;
  }

  #blob(): boolean {
    if (!this.#takes('{"id":"') || !this.#hex(this.#ids, this.#blobs * idBytes)) return false;
    const fields = this.#blobs * fieldsPerBlob;
    if (this.#takes('","type":"tree","offset":')) this.#fields[fields] = 1;
    else if (!this.#takes('","type":"data","offset":')) return false;
    if (!this.#number(fields + 1) || !this.#takes(',"length":') || !this.#number(fields + 2)) return false;
    if (this.#takes(',"uncompressed_length":') && !this.#number(fields + 3)) return false;
    this.#blobs += 1;
    return this.#takes('}');
  }

  /** Goes on behind these signs when they come next. */
  #takes(signs: string): boolean {
    for (let at = 0; at < signs.length; at++) if (this.#text[this.#at + at] !== signs.charCodeAt(at)) return false;
    this.#at += signs.length;
    return true;
  }

  #hex(into: Uint8Array, start: number): boolean {
    const text = this.#text;
    if (this.#at + idBytes * 2 > text.length) return false;
    for (let at = start; at < start + idBytes; at++, this.#at += 2) {
      const byte = (hexDigits[text[this.#at]!]! << 4) | hexDigits[text[this.#at + 1]!]!;
      if (byte < 0) return false;
      into[at] = byte;
    }
    return true;
  }

  /** Of 32 bits, as JSON has whole numbers. */
  #number(field: number): boolean {
    const start = this.#at;
    let value = 0;
    for (let digit = this.#digit(); digit >= 0; digit = this.#digit()) {
      value = value * 10 + digit;
      this.#at += 1;
      if (value > 0xffff_ffff) return false;
    }
    this.#fields[field] = value;
    const length = this.#at - start;
    return length === 1 || (length > 1 && this.#text[start] !== zeroSign);
  }

  #digit(): number {
    const digit = this.#text[this.#at]! - zeroSign;
    return digit <= 9 ? digit : -1;
  }

  /** To its closing quote; of signs that mean themselves. */
  #holderText(): boolean {
    const start = this.#at;
    while (isPlain(this.#text[this.#at])) this.#at += 1;
    this.#holder = Buffer.from(this.#text.subarray(start, this.#at)).toString('latin1');
    return this.#takes('"');
  }

  *#content(): ReturnType<IndexContent['packs']> {
    for (const { id, start, end } of this.#packs) yield { id, blobs: this.#entries(start, end) };
  }

  *#entries(start: number, end: number): Generator<PackEntry> {
    const id = new Uint8Array(idBytes);
    const entry = { type: 'data' as PackEntry['type'], id, offset: 0, length: 0, plainBytes: 0 as number | undefined };
    for (let blob = start; blob < end; blob++) {
      for (let at = 0; at < idBytes; at++) id[at] = this.#ids[blob * idBytes + at]!;
      const fields = blob * fieldsPerBlob;
      entry.type = this.#fields[fields] === 1 ? 'tree' : 'data';
      entry.offset = this.#fields[fields + 1]!;
      entry.length = this.#fields[fields + 2]!;
      entry.plainBytes = this.#fields[fields + 3]! || undefined;
      yield entry;
    }
  }
}

const fieldsPerBlob = 4;
const shortestBlob = `{"id":"${'0'.repeat(64)}","type":"data","offset":0,"length":0}`;
const zeroSign = 48;

/** By sign, the value of a hexadecimal digit as restic writes it; below zero for any other sign. */
const hexDigits = new Int8Array(256).fill(-1);
for (const [value, sign] of [...'0123456789abcdef'].entries()) hexDigits[sign.charCodeAt(0)] = value;

function isPlain(sign: number | undefined): boolean {
  return sign !== undefined && sign >= 0x20 && sign < 0x7f && sign !== 0x22 && sign !== 0x5c;
}
