import { TidemarkError } from '../error.ts';
import { isHexId } from './format/blob-id.ts';
import type { BlobType } from './format/pack.ts';
import { damagedObject, type SealedObjects } from './objects.ts';

/** An index document of restic's format: which blobs lie where in which packs. */
export interface IndexDocument {
  readonly packs?: readonly IndexedPack[] | null;
  /** The lock under which a backup of ours wrote it; restic passes over it. */
  readonly holder?: string;
}

export interface IndexedPack {
  readonly id: string;
  readonly blobs?: readonly StoredBlob[] | null;
}

export interface StoredBlob {
  readonly id: string;
  readonly type: BlobType;
  readonly offset: number;
  readonly length: number;
  readonly uncompressed_length?: number | null;
}

/** An index file as its document. Throws REPOSITORY_CORRUPT, OBJECT_NOT_FOUND. */
export async function readIndexDocument(
  objects: SealedObjects,
  id: string,
  signal?: AbortSignal,
): Promise<IndexDocument> {
  return checkedIndex(await objects.get('index', id, signal), id);
}

/**
 * What JSON says, if that is an index; what `scanIndex` takes always is. Throws REPOSITORY_CORRUPT, which names the file, for
 * anything else, as restic refuses it: a type of blobs that nobody knows, too, for who passed over it would lose them.
 */
export function checkedIndex(document: unknown, id: string): IndexDocument {
  const wrong = wrongIn(document);
  if (wrong === undefined) return document as IndexDocument;
  const cause = new TidemarkError('REPOSITORY_CORRUPT', `it is no index that this version knows: ${wrong}`);
  throw damagedObject(`index/${id}`, cause);
}

/** The first thing that no index says. */
function wrongIn(document: unknown): string | undefined {
  if (!isObject(document)) return 'it is no object';
  const { packs, holder } = document;
  if (holder !== undefined && typeof holder !== 'string') return 'its holder is no text';
  return wrongInList('packs', packs, wrongInPack);
}

function wrongInPack(pack: unknown): string | undefined {
  if (!isObject(pack) || !isId(pack.id)) return 'a pack has no id';
  const wrong = wrongInList('blobs', pack.blobs, wrongInBlob);
  return wrong && `pack ${pack.id}: ${wrong}`;
}

function wrongInBlob(blob: unknown): string | undefined {
  if (!isObject(blob) || !isId(blob.id)) return 'a blob has no id';
  const { id, type, offset, length, uncompressed_length: plainBytes = 0 } = blob;
  if (type !== 'data' && type !== 'tree') return `the type of blob ${id} is unknown`;
  return [offset, length, plainBytes ?? 0].every(isSize) ? undefined : `blob ${id} is nowhere`;
}

/** Go writes an empty list as null where it was never made. */
function wrongInList(name: string, list: unknown, wrongInOne: (one: unknown) => string | undefined) {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) return `its ${name} are no list`;
  for (const one of list) {
    const wrong = wrongInOne(one);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isHexId(value);
}

/** Packs end at 4 GiB. */
function isSize(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}
