import { hasCode, TidemarkError } from '../../error.ts';
import { idBytes, idOf } from './blob-id.ts';
import { maxBytes } from './chunker.ts';
import { compress, decompress, decompressInto } from './compression.ts';
import { damagedBlob } from './damage.ts';
import { release } from './release.ts';
import { type Sealer, sealBytes } from './sealer.ts';

/**
 * A pack file: sealed blobs one after the other, then a sealed header, then the header's length (u32, little endian).
 * A header entry: type (0 data, 1 tree, 2 compressed data, 3 compressed tree), sealed length (u32), for compressed
 * blobs the plain length (u32), SHA-256 of the plain text (32). Source: restic's design document, "Pack Format".
 */
export type BlobType = 'data' | 'tree';

/** A blob's place in a pack. `plainBytes` is set when it is compressed. */
export interface PackEntry {
  readonly type: BlobType;
  readonly id: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly plainBytes: number | undefined;
}

export interface FinishedPack {
  readonly id: Uint8Array;
  /** The file is the first `sizeBytes` of it; a buffer of its own that may be transferred, or what the builder was given. */
  readonly buffer: ArrayBufferLike;
  readonly sizeBytes: number;
  /** The plain header: `decodeHeader` gives the entries. */
  readonly header: Uint8Array;
}

/** The length of the sealed header, the last bytes of a pack. */
export const lengthBytes = 4;
/** A pack is full with so much. */
export const targetBytes = 16 * 1024 * 1024;
/** An entry of a plain header that is not compressed. */
export const smallestHeaderEntry = 37;
const maxEntries = 100_000;
const largestHeaderEntry = 41;
const fullBytes = targetBytes + maxBytes / 4;
/** Of blobs that the chunker makes. */
export const largestPackBytes =
  targetBytes + maxBytes + sealBytes + maxEntries * largestHeaderEntry + sealBytes + lengthBytes;

/** Collects blobs into one pack after the other. */
export class PackBuilder {
  readonly #type: BlobType;
  readonly #sealer: Sealer;
  readonly #given: () => Buffer | undefined;
  #buffer: Buffer | undefined;
  #sizeBytes = 0;
  /** Of a new buffer. To clear that of a whole pack takes longer than all else that a small backup does. */
  #roomBytes = 1024 * 1024;
  #entries: PackEntry[] = [];

  /** `given`: memory for the next pack. Without it, and where it is too small, a pack gets memory of its own. */
  constructor(type: BlobType, sealer: Sealer, given: () => Buffer | undefined = () => undefined) {
    this.#type = type;
    this.#sealer = sealer;
    this.#given = given;
  }

  /** Compresses where that helps, seals and appends. Gives the pack when it is full with this blob. */
  add(id: Uint8Array, plain: Uint8Array): FinishedPack | undefined {
    const compressed = compress(plain);
    const smaller = compressed.length < plain.length;
    if (smaller) verifySample(id, plain, compressed);
    const payload = smaller ? compressed : plain;
    const length = this.#sealer.sealInto(payload, this.#room(payload.length + sealBytes), this.#sizeBytes);
    return this.#added(id, length, smaller ? plain.length : undefined);
  }

  /** Appends a blob as it was sealed for another pack. Gives the pack when it is full with this blob. */
  addSealed({ id, plainBytes }: Pick<PackEntry, 'id' | 'plainBytes'>, sealed: Uint8Array): FinishedPack | undefined {
    this.#room(sealed.length).set(sealed, this.#sizeBytes);
    return this.#added(id, sealed.length, plainBytes);
  }

  #added(id: Uint8Array, length: number, plainBytes: number | undefined): FinishedPack | undefined {
    this.#entries.push({ type: this.#type, id, offset: this.#sizeBytes, length, plainBytes });
    this.#sizeBytes += length;
    if (this.#sizeBytes < targetBytes && this.#entries.length < maxEntries) return undefined;
    this.#roomBytes = fullBytes;
    return this.finish();
  }

  /** The pack so far, when it has any blob. */
  finish(): FinishedPack | undefined {
    if (this.#entries.length === 0) return undefined;
    const header = encodeHeader(this.#entries);
    const end = this.#room(header.length + sealBytes + lengthBytes);
    const headerLength = this.#sealer.sealInto(header, end, this.#sizeBytes);
    const sizeBytes = end.writeUInt32LE(headerLength, this.#sizeBytes + headerLength);
    this.#buffer = undefined;
    this.#sizeBytes = 0;
    this.#entries = [];
    return { id: idOf(end.subarray(0, sizeBytes)), buffer: end.buffer, sizeBytes, header };
  }

  /** A pack ends with the blob that fills it, so it may be larger than the target by one blob and the header. */
  #room(bytes: number): Buffer {
    const needed = this.#sizeBytes + bytes;
    this.#buffer ??= this.#given();
    const old = this.#buffer;
    if (old !== undefined && needed <= old.length) return old;
    const larger = Buffer.from(new ArrayBuffer(roomBytes(needed, old?.length, this.#roomBytes)));
    old?.copy(larger, 0, 0, this.#sizeBytes);
    if (old !== undefined) release(old.buffer);
    this.#buffer = larger;
    return larger;
  }
}

function roomBytes(needed: number, beforeBytes: number | undefined, firstBytes: number): number {
  if (beforeBytes === undefined) return Math.max(needed, firstBytes);
  if (beforeBytes < fullBytes) return Math.max(needed, 8 * beforeBytes < fullBytes ? 4 * beforeBytes : fullBytes);
  return needed + maxBytes + sealBytes;
}

/** The entries of a pack's plain header. Throws REPOSITORY_CORRUPT. */
export function decodeHeader(plain: Uint8Array): PackEntry[] {
  return [...headerEntries(plain)];
}

/** As `decodeHeader`, one after the other. */
export function* headerEntries(plain: Uint8Array): Generator<PackEntry> {
  const header = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  let offset = 0;
  for (let at = 0; at < header.length; ) {
    const kind = header[at]!;
    const compressed = kind >= 2;
    const idAt = at + (compressed ? 9 : 5);
    if (kind > 3 || idAt + idBytes > header.length)
      throw new TidemarkError('REPOSITORY_CORRUPT', 'a pack header is damaged');
    const length = header.readUInt32LE(at + 1);
    yield {
      type: kind % 2 === 0 ? 'data' : 'tree',
      id: header.subarray(idAt, idAt + idBytes),
      offset,
      length,
      plainBytes: compressed ? header.readUInt32LE(at + 5) : undefined,
    };
    offset += length;
    at = idAt + idBytes;
  }
}

/** The plain header of a pack with these blobs, which lie one after the other from the start. */
export function encodeHeader(entries: readonly PackEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const compressed = entry.plainBytes !== undefined;
    const head = Buffer.alloc(compressed ? 9 : 5);
    head[0] = (entry.type === 'tree' ? 1 : 0) + (compressed ? 2 : 0);
    head.writeUInt32LE(entry.length, 1);
    if (entry.plainBytes !== undefined) head.writeUInt32LE(entry.plainBytes, 5);
    parts.push(head, entry.id);
  }
  return Buffer.concat(parts);
}

/** One blob in 64 is decompressed again: compressors have corrupted data in released versions (restic #4523, #4677). */
function verifySample(id: Uint8Array, plain: Uint8Array, compressed: Uint8Array): void {
  if ((id[0]! & 63) !== 0) return;
  if (Buffer.compare(decompress(compressed, plain.length), plain) === 0) return;
  throw new TidemarkError('REPOSITORY_CORRUPT', 'the compressor damaged a blob before it was stored', {
    hint: 'Check this machine’s memory; nothing damaged was stored.',
  });
}

/** What is needed to open a blob that was cut out of a pack. */
export type SealedBlob = Pick<PackEntry, 'id' | 'plainBytes'> & { readonly pack: Uint8Array };

/** Memory for a plain blob of this many bytes. */
export type Room = (bytes: number) => Buffer<ArrayBuffer>;

/**
 * The plain blob, in memory of its own or what `room` gives. Throws REPOSITORY_CORRUPT, which names blob and pack, when
 * it is not what its id says.
 */
export function openBlob(
  sealer: Sealer,
  blob: SealedBlob,
  sealed: Uint8Array,
  room: Room = Buffer.allocUnsafeSlow,
): Buffer<ArrayBuffer> {
  let cause: unknown;
  try {
    const plain = plainUnchecked(sealer, blob, sealed, room);
    if (Buffer.compare(idOf(plain), blob.id) === 0) return plain;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    cause = error;
  }
  throw damagedBlob(blob.id, blob.pack, 'damaged', cause);
}

/** As `openBlob`, but for the look whether it is what its id says: that the caller owes. */
export function plainUnchecked(
  sealer: Sealer,
  { plainBytes }: Pick<SealedBlob, 'plainBytes'>,
  sealed: Uint8Array,
  room: Room,
): Buffer<ArrayBuffer> {
  if (plainBytes === undefined) {
    const plain = room(Math.max(0, sealed.length - sealBytes));
    sealer.openInto(sealed, plain);
    return plain;
  }
  const compressed = sealer.openBriefly(sealed);
  if (plainBytes > largestRoomBytes) return decompress(compressed, plainBytes);
  const plain = room(plainBytes);
  decompressInto(compressed, plain);
  return plain;
}

/** A length that damage has made up must not cost its memory. */
const largestRoomBytes = 2 ** 28;
