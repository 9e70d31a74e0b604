import { blobCount, blobIdBytes, type Content, maxBlobBytes } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';

type Read = (content: Content) => AsyncIterable<Uint8Array>;

/** What of a file of rows cannot be read. */
export interface Damage {
  /** The repository's words, each once: they name blobs and packs. */
  readonly words: readonly string[];
  /** Which blobs, counted from 0. */
  readonly blobs: readonly number[];
  readonly bytes: number;
}

/** Reads a file to its end, past damage; undefined when there is none. */
export async function inspect(content: Content, read: Read): Promise<Damage | undefined> {
  return (await isWhole(content, read)) ? undefined : findDamage(content, read);
}

async function isWhole(content: Content, read: Read): Promise<boolean> {
  try {
    for await (const _ of read(content));
    return true;
  } catch (error) {
    if (hasCode(error, 'REPOSITORY_CORRUPT')) return false;
    throw error;
  }
}

/** Blob by blob, which costs a request each. */
async function findDamage(content: Content, read: Read): Promise<Damage> {
  const words = new Set<string>();
  const lost: number[] = [];
  let bytes = content.sizeBytes;
  for (const [at, blob] of blobsOf(content).entries()) {
    try {
      for await (const part of read(blob)) bytes -= part.length;
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      words.add(error.message);
      lost.push(at);
    }
  }
  return { words: [...words], blobs: lost, bytes };
}

/**
 * The rows of a file that do not lie in its damaged blobs, and how many they are. Blobs end where rows end, but for
 * rows so long that they were cut; beside a blob that may have held a part of such a row, rows are taken from the next
 * newline on, which no value holds.
 */
export async function* wholeRows(
  content: Content,
  damage: Damage,
  read: Read,
  counted: { rows: number },
): AsyncGenerator<Uint8Array> {
  const lost = new Set(damage.blobs);
  let begun: Uint8Array = nothing;
  let inRow = false;
  for (const [at, blob] of blobsOf(content).entries()) {
    if (lost.has(at)) {
      begun = nothing;
      inRow = damage.bytes >= maxBlobBytes; // such a blob may end inside of a row
      continue;
    }
    for await (const part of read(blob)) {
      const bytes = Buffer.concat([begun, inRow ? part.subarray(part.indexOf(newline) + 1 || part.length) : part]);
      inRow &&= !part.includes(newline);
      const end = bytes.lastIndexOf(newline) + 1;
      begun = bytes.subarray(end);
      counted.rows += countNewlines(bytes.subarray(0, end));
      if (end > 0) yield bytes.subarray(0, end);
    }
  }
}

const newline = 0x0a;
const nothing = new Uint8Array(0);

function blobsOf(content: Content): Content[] {
  return Array.from({ length: blobCount(content) }, (_, at) => ({
    blobs: content.blobs.subarray(at * blobIdBytes, (at + 1) * blobIdBytes),
    sizeBytes: 0, // not known of one blob, and not needed to read it
  }));
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
