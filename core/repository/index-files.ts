import { hasCode, TidemarkError } from '../error.ts';
import { BlobIndex } from './blob-index.ts';
import { toHex } from './format/blob-id.ts';
import { type FinishedPack, headerEntries, type PackEntry, smallestHeaderEntry } from './format/pack.ts';
import { indexContent } from './index-content.ts';
import type { IndexContent } from './index-scan.ts';
import type { SealedObject, SealedObjects } from './objects.ts';

/** Sealed, before they are opened one after the other. */
const readAheadFiles = 4;
const readAheadBytes = 8 * 1024 * 1024;
/** Index files of more blobs would take much memory to write and read. */
export const blobsPerIndex = 50_000;

export interface IndexOptions {
  /** Gets the index files that cannot be read; without it the first one throws. */
  readonly onDamaged?: (error: TidemarkError) => void;
  /** Ids in hex of packs whose blobs count as not stored. */
  readonly without?: ReadonlySet<string>;
  /** Told of each pack (its number in the index) that an index file names, and the `holder` that stands in the file. */
  readonly onPack?: (pack: number, indexFile: string, holder: string | undefined) => void;
  /** Index files whose packs the table has already; those that are read are added. */
  readonly known?: Set<string>;
}

/** Reads every index file of the repository into one table. */
export async function loadIndex(
  objects: SealedObjects,
  signal?: AbortSignal,
  options: IndexOptions = {},
): Promise<BlobIndex> {
  const index = new BlobIndex();
  await extendIndex(index, objects, signal, options);
  return index;
}

/**
 * Adds the index files that are not `known`. One that is replaced while this goes on is no damage: what it said is in
 * a newer one.
 */
export async function extendIndex(
  index: BlobIndex,
  objects: SealedObjects,
  signal?: AbortSignal,
  options: IndexOptions = {},
): Promise<void> {
  const known = options.known ?? new Set();
  for (let round = 1; ; round++) {
    const gone = await addNewFiles(index, objects, signal, { ...options, known });
    if (gone === undefined) return;
    if (round === maxRounds) throw gone;
  }
}

/** So often may an index file be replaced while one reads them all. */
const maxRounds = 5;

/** Gives that a file was gone when it was to be read. */
async function addNewFiles(
  index: BlobIndex,
  objects: SealedObjects,
  signal: AbortSignal | undefined,
  { onDamaged, without = new Set(), onPack, known }: IndexOptions & { known: Set<string> },
): Promise<TidemarkError | undefined> {
  let gone: TidemarkError | undefined;
  for await (const { id, sealed } of sealedIndexFiles(objects, signal, known)) {
    try {
      using content = indexContent(objects, await sealed);
      addPacks(index, content, without, (pack) => onPack?.(pack, id, content.holder));
      known.add(id);
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) gone = error;
      else if (!hasCode(error, 'REPOSITORY_CORRUPT') || onDamaged === undefined) throw error;
      else onDamaged(error);
    }
  }
  return gone;
}

/** Every index file that is not `known`, some read ahead: what one waits for is to be awaited in its turn. */
export async function* sealedIndexFiles(
  objects: SealedObjects,
  signal: AbortSignal | undefined,
  known: ReadonlySet<string> = new Set(),
): AsyncGenerator<{ readonly id: string; readonly sealed: Promise<SealedObject> }> {
  const reading: { id: string; sizeBytes: number; sealed: Promise<SealedObject> }[] = [];
  let bytes = 0;
  const next = () => {
    const one = reading.shift()!;
    bytes -= one.sizeBytes;
    return one;
  };
  for await (const { id, sizeBytes } of objects.listSizes('index', signal)) {
    if (known.has(id)) continue;
    while (reading.length > 0 && bytes + sizeBytes > readAheadBytes) yield next();
    const sealed = objects.getSealed('index', id, signal);
    sealed.catch(() => {}); // it is awaited in its turn, perhaps after another one failed
    reading.push({ id, sizeBytes, sealed });
    bytes += sizeBytes;
    if (reading.length >= readAheadFiles) yield next();
  }
  while (reading.length > 0) yield next();
}

function addPacks(
  index: BlobIndex,
  content: IndexContent,
  without: ReadonlySet<string>,
  onPack: (pack: number) => void,
): void {
  for (const { id, blobs } of content.packs()) {
    if (!without.has(toHex(id))) onPack(index.addPack(id, blobs));
  }
}

/** Stores an index file for these packs, written under the lock of this holder. */
export async function writeIndex(
  objects: SealedObjects,
  packs: readonly Pick<FinishedPack, 'id' | 'header'>[],
  signal: AbortSignal,
  holder?: string,
): Promise<void> {
  await objects.putText('index', indexText(packs, holder), signal);
}

/** The JSON of an `IndexDocument`, without its objects: there are 50,000 blobs in one, while packs wait in memory. */
function indexText(packs: readonly Pick<FinishedPack, 'id' | 'header'>[], holder: string | undefined): Buffer {
  const mostBytes = packs.reduce((sum, { header }) => sum + largestPackText + headerTextBytes(header), largestPackText);
  const text = Buffer.allocUnsafeSlow(mostBytes);
  let end = 0;
  const add = (part: string) => {
    end += text.write(part, end, 'latin1');
  };
  add('{"packs":[');
  for (const [at, { id, header }] of packs.entries()) {
    add(`${at === 0 ? '' : ','}{"id":"${toHex(id)}","blobs":[`);
    let separator = '';
    for (const entry of headerEntries(header)) {
      add(separator + blobText(entry));
      separator = ',';
    }
    add(']}');
  }
  add(holder === undefined ? ']}' : `],"holder":${JSON.stringify(holder)}}`);
  if (end < text.length) return text.subarray(0, end);
  throw new TidemarkError('BUG', 'an index file is larger than it can be');
}

function blobText({ id, type, offset, length, plainBytes }: PackEntry): string {
  const plain = plainBytes === undefined ? '' : `,"uncompressed_length":${plainBytes}`;
  return `{"id":"${toHex(id)}","type":"${type}","offset":${offset},"length":${length}${plain}}`;
}

/** Room for what stands around the blobs of a pack, and for the end of the document. */
const largestPackText = 256;
const largestBlobText =
  blobText({ id: new Uint8Array(32), type: 'data', offset: 2 ** 32, length: 2 ** 32, plainBytes: 2 ** 32 }).length + 1;

function headerTextBytes(header: Uint8Array): number {
  return Math.ceil(header.length / smallestHeaderEntry) * largestBlobText;
}
