import type { ThreadContext, ThreadSession } from '../../driver/index.ts';
import { hasCode } from '../../error.ts';
import { fromHex, idOf, toHex } from '../format/blob-id.ts';
import { BlobOpener } from '../format/blob-opener.ts';
import { decodeHeader, lengthBytes, openBlob, type PackEntry } from '../format/pack.ts';
import { release } from '../format/release.ts';
import { type KeyMaterial, Sealer, sealBytes } from '../format/sealer.ts';

/** A whole pack to look into. */
export interface PackTask {
  readonly id: string;
  readonly sealed: Uint8Array;
  /** See `PackFacts.headerDigest`. */
  readonly headerDigest: Uint8Array;
  /** The blobs as the index has them: for a pack whose own header cannot be had, or says something else. */
  readonly blobs?: readonly PackEntry[];
}

export interface PackVerdict {
  /** The bytes are those that its name stands for. */
  readonly isItself: boolean;
  /** The name that its bytes stand for, in hex. */
  readonly bytesOf: string;
  readonly header: 'as the index' | 'differs' | 'damaged';
  /** What its header lists, or else `PackTask.blobs`; those that do not open or are not what their ids say are `bad`. */
  readonly blobs: number;
  readonly bad: readonly PackEntry[];
  /** All that its header lists, where that is not what the index says. */
  readonly own?: readonly PackEntry[];
}

/** A thread module that looks into packs: `setup` is the repository's key. */
export function open(setup: KeyMaterial, context: ThreadContext): ThreadSession<PackTask, PackVerdict> {
  const sealer = new Sealer(setup);
  const opener = new BlobOpener(sealer);
  return {
    run(task) {
      const verdict = look(sealer, opener, task);
      context.progress({ bytes: task.sealed.length, items: 1 });
      release(task.sealed.buffer);
      return verdict;
    },
    close() {},
  };
}

function look(sealer: Sealer, opener: BlobOpener, { id, sealed, headerDigest, blobs }: PackTask): PackVerdict {
  const own = openHeader(sealer, sealed);
  const header =
    own === undefined ? 'damaged' : Buffer.compare(idOf(own), headerDigest) === 0 ? 'as the index' : 'differs';
  const listed = blobs ?? (own === undefined ? [] : decodeHeader(own));
  const { bytesOf, bad } = openAll(opener, sealed, listed);
  // Copies: an id of a header is a view of all of it.
  const verdict = { isItself: bytesOf === id, bytesOf, header, blobs: listed.length, bad: bad.map(copied) } as const;
  return header === 'differs' && blobs === undefined ? { ...verdict, own: listed.map(copied) } : verdict;
}

/** The pack's own hash is made beside those of its blobs. */
function openAll(opener: BlobOpener, sealed: Uint8Array, listed: readonly PackEntry[]) {
  const bad: PackEntry[] = [];
  let bytesOf = '';
  opener.all(() => {
    opener.hash(sealed, (hash) => {
      bytesOf = toHex(hash);
    });
    for (const blob of listed) {
      const { offset, length } = blob;
      if (offset + length > sealed.length) bad.push(blob);
      else
        opener.open(blob, sealed.subarray(offset, offset + length), (plain) => {
          if (plain === undefined) bad.push(blob);
        });
    }
  });
  return { bytesOf, bad };
}

function copied(blob: PackEntry): PackEntry {
  return { ...blob, id: new Uint8Array(blob.id) };
}

/** The plain header; undefined when it cannot be had. */
export function openHeader(sealer: Sealer, sealed: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - lengthBytes;
  if (end < sealBytes) return undefined;
  const length = new DataView(sealed.buffer, sealed.byteOffset).getUint32(end, true);
  if (length > end) return undefined;
  try {
    const plain = sealer.open(sealed.subarray(end - length, end));
    decodeHeader(plain);
    return plain;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return undefined;
  }
}

export function opens(sealer: Sealer, pack: string, sealed: Uint8Array, blob: PackEntry): boolean {
  if (blob.offset + blob.length > sealed.length) return false;
  try {
    const plain = openBlob(
      sealer,
      { ...blob, pack: fromHex(pack) },
      sealed.subarray(blob.offset, blob.offset + blob.length),
    );
    release(plain.buffer);
    return true;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return false;
  }
}
