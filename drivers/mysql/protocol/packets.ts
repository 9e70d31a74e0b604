import { ServerError } from './server-error.ts';
import { maxPacketBytes } from './wire.ts';

/** Cuts a stream of bytes into packets, joining those of 16 MiB and more. For small answers; rows have their own way. */
export class PacketSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #large: Buffer[] = [];

  /** The packets that are complete now. Their bytes may lie in `chunk`. */
  *take(chunk: Uint8Array): Generator<Packet> {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const length = bytes.length - at < 4 ? Number.POSITIVE_INFINITY : bytes.readUIntLE(at, 3);
      if (bytes.length - at - 4 < length) break;
      const body = bytes.subarray(at + 4, at + 4 + length);
      const sequence = bytes[at + 3]!;
      at += 4 + length;
      this.#large.push(body);
      if (length === maxPacketBytes) continue;
      yield { body: this.#large.length === 1 ? body : Buffer.concat(this.#large), sequence };
      this.#large = [];
    }
    this.#rest = bytes.subarray(at);
  }
}

export interface Packet {
  readonly body: Buffer;
  readonly sequence: number;
}

export function isEnd(body: Uint8Array): boolean {
  return body[0] === 0xfe && body.length < 9;
}

/** The error of an ERR packet: 0xff, number, optional `#` and SQL state, text. */
export function readError(body: Buffer): ServerError {
  const text = body.subarray(body[3] === 0x23 ? 9 : 3).toString('utf8');
  return new ServerError(body.readUInt16LE(1), text);
}

export interface Okay {
  readonly affectedRows: number;
  readonly warnings: number;
}

/** OK: 0x00, affected rows, last insert id, status (2 bytes), warnings (2 bytes), text. */
export function readOkay(body: Buffer): Okay {
  const [affectedRows, afterRows] = readLength(body, 1);
  const [, afterId] = readLength(body, afterRows);
  return { affectedRows, warnings: body.readUInt16LE(afterId + 2) };
}

/** A length-encoded number and where it ends; -1 stands for NULL. */
export function readLength(body: Buffer, at: number): [value: number, end: number] {
  const first = body[at]!;
  if (first < 251) return [first, at + 1];
  if (first === 251) return [-1, at + 1];
  if (first === 252) return [body.readUInt16LE(at + 1), at + 3];
  if (first === 253) return [body.readUIntLE(at + 1, 3), at + 4];
  return [Number(body.readBigUInt64LE(at + 1)), at + 9];
}

/** The length-encoded values of a packet, one after the other; null for NULL. */
export function readValues(body: Buffer): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  for (let at = 0; at < body.length; ) {
    const [length, start] = readLength(body, at);
    values.push(length < 0 ? null : body.subarray(start, start + length));
    at = start + Math.max(length, 0);
  }
  return values;
}
