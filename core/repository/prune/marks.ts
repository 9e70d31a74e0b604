import { hasCode, TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import type { BlobIndex } from '../blob-index.ts';
import { fromHex, isHexId } from '../format/blob-id.ts';
import { extendIndex, loadIndex } from '../index-files.ts';
import type { SealedObjects } from '../objects.ts';

/**
 * `marks/<sha256>`: a sealed document of one of two kinds, never changed after it was written. The first names packs that
 * nothing needs any more. The second says of a first one whose locks were there after it had become durable: whoever is
 * not among them has read the mark, and relies on none of its packs.
 */
export type MarkDocument = MarkedPacks | MarkWitness;

export interface MarkedPacks {
  readonly format: 1;
  readonly markedAt: string;
  readonly by: string;
  readonly packs: readonly { readonly id: string; readonly sizeBytes: number }[];
  /** The mark, dated in the future, in whose place it is. */
  readonly anew?: readonly string[];
}

export interface MarkWitness {
  readonly format: 1;
  /** The id of the mark. */
  readonly of: string;
  /** The `holder` of every lock that was there. */
  readonly holders: readonly string[];
}

export interface Mark extends MarkedPacks {
  readonly id: string;
  /** Undefined until somebody has looked at the locks after it was written: till then it says nothing to anybody. */
  readonly holders: ReadonlySet<string> | undefined;
  /** The documents that belong to it. */
  readonly witnesses: readonly string[];
}

export interface Marks {
  readonly marks: readonly Mark[];
  /** Documents that belong to no mark, and those that cannot be read where that is no error. */
  readonly useless: readonly string[];
}

/**
 * All marks. One that was removed after it was listed is none. Throws REPOSITORY_CORRUPT for one that is damaged, unless
 * `passDamaged`, and UNSUPPORTED for one of a newer version.
 */
export async function readMarks(objects: SealedObjects, signal: AbortSignal, passDamaged = false): Promise<Marks> {
  const packs = new Map<string, MarkedPacks>();
  const witnesses = new Map<string, MarkWitness>();
  const damaged: string[] = [];
  for await (const id of objects.list('marks', signal)) {
    const document = await readMark(objects, id, signal, passDamaged).catch((error) => {
      if (!passDamaged || !hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      damaged.push(id);
      return undefined;
    });
    if (document === undefined) continue;
    if ('of' in document) witnesses.set(id, document);
    else packs.set(id, document);
  }
  const marks = [...packs].map(([id, document]) => withHolders(id, document, witnesses));
  const lone = [...witnesses].filter(([, { of }]) => !packs.has(of)).map(([id]) => id);
  return { marks, useless: [...lone, ...damaged] };
}

/** Several prunes may have looked at the locks: each of them did so after the mark was there. */
function withHolders(id: string, document: MarkedPacks, all: ReadonlyMap<string, MarkWitness>): Mark {
  const own = [...all].filter(([, { of }]) => of === id);
  const holders = own.length === 0 ? undefined : new Set(own.flatMap(([, witness]) => witness.holders));
  return { ...document, id, holders, witnesses: own.map(([witness]) => witness) };
}

/** An empty file, as a full disk leaves, tells nobody anything; only who clears up takes it for damage. */
async function readMark(
  objects: SealedObjects,
  id: string,
  signal: AbortSignal,
  emptyIsDamage: boolean,
): Promise<MarkDocument | undefined> {
  try {
    return checked(id, (await objects.get('marks', id, signal)) as Partial<MarkedPacks & MarkWitness>);
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    if (!emptyIsDamage && hasCode(error, 'REPOSITORY_CORRUPT') && (await objects.isEmpty('marks', id, signal)))
      return undefined;
    throw error;
  }
}

function checked(id: string, document: Partial<MarkedPacks & MarkWitness>): MarkDocument {
  const { format, of, holders, packs, markedAt, by = '', anew } = document ?? {};
  if (format === 1 && typeof of === 'string' && Array.isArray(holders)) return { format, of, holders };
  const sound = Array.isArray(packs) && packs.every((pack) => isHexId(String(pack?.id)));
  if (format === 1 && sound && typeof markedAt === 'string')
    return { format, markedAt, by, packs, ...(Array.isArray(anew) && { anew }) };
  throw new TidemarkError('UNSUPPORTED', `marks/${id} is of a version that this one does not know`, {
    hint: 'Use the version of tidemark that wrote it, or a newer one, on this repository.',
  });
}

/** The packs of all marks, by their ids in hex. */
export function markedPacks({ marks }: Marks): Set<string> {
  return new Set(marks.flatMap(({ packs }) => packs.map(({ id }) => id)));
}

/** The same of those that the index has, by their numbers there. */
export function marksIn(index: BlobIndex, marks: readonly MarkedPacks[]): Bits {
  const packs = new Bits();
  for (const { id } of marks.flatMap((mark) => mark.packs)) {
    const pack = index.packNumber(fromHex(id));
    if (pack !== undefined) packs.set(pack);
  }
  return packs;
}

/**
 * The index for who writes: without the packs that are marked. Call it under the lock: who is not in a mark's list of
 * locks must have read that mark.
 */
export async function loadUnmarked(
  objects: SealedObjects,
  signal: AbortSignal,
): Promise<{ index: BlobIndex; marked: ReadonlySet<string> }> {
  const marked = markedPacks(await readMarks(objects, signal));
  const known = new Set<string>();
  const index = await loadIndex(objects, signal, { without: marked, known });
  // A list that is made while index files are replaced may have neither the old ones nor the new ones.
  for (let before = -1; marked.size > 0 && before < known.size; ) {
    before = known.size;
    await extendIndex(index, objects, signal, { without: marked, known });
  }
  return { index, marked };
}
