import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { idOf, isHexId, toHex } from './format/blob-id.ts';
import { compress, decompress } from './format/compression.ts';
import { release } from './format/release.ts';
import type { Sealer } from './format/sealer.ts';

/** The folders of a repository whose objects are one sealed JSON document each, named by the SHA-256 of the object. */
export type ObjectFolder = 'index' | 'snapshots' | 'locks' | 'marks' | 'pins';

export interface SealedObject {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Of a repository. In version 1 nothing is compressed: restic could not read what is, not even a lock. */
export type FormatVersion = 1 | 2;

const compressedVersion = 2;

/** Reads and writes the sealed JSON documents of a repository ("unpacked" objects in restic's design document). */
export class SealedObjects {
  readonly #store: Store;
  readonly #sealer: Sealer;
  readonly #format: FormatVersion;

  constructor(store: Store, sealer: Sealer, format: FormatVersion = 2) {
    this.#store = store;
    this.#sealer = sealer;
    this.#format = format;
  }

  /** Stores a document; gives the id that is its name. */
  async put(folder: ObjectFolder, document: unknown, signal?: AbortSignal): Promise<string> {
    return this.putText(folder, Buffer.from(JSON.stringify(document)), signal);
  }

  /** As `put`, for who has the JSON already. */
  async putText(folder: ObjectFolder, json: Uint8Array, signal?: AbortSignal): Promise<string> {
    const object = this.#sealText(json);
    await this.putSealed(folder, object, signal);
    return object.id;
  }

  /** For who must know the id before the object can be there. */
  seal(document: unknown): SealedObject {
    return this.#sealText(Buffer.from(JSON.stringify(document)));
  }

  #sealText(json: Uint8Array): SealedObject {
    const plain = this.#format === 1 ? json : Buffer.concat([Buffer.of(compressedVersion), compress(json)]);
    const bytes = this.#sealer.seal(plain);
    return { id: toHex(idOf(bytes)), bytes };
  }

  putSealed(folder: ObjectFolder, { id, bytes }: SealedObject, signal?: AbortSignal): Promise<void> {
    return this.#store.put(`${folder}/${id}`, bytes, { signal });
  }

  /** Throws REPOSITORY_CORRUPT when the object is not what its name says, OBJECT_NOT_FOUND. */
  async get(folder: ObjectFolder, id: string, signal?: AbortSignal): Promise<unknown> {
    const { bytes } = await this.getSealed(folder, id, signal);
    return openDocument(this.#sealer, `${folder}/${id}`, bytes);
  }

  /** As `get`, to be opened by `openText` when its turn comes: sealed it is a fraction of what it is then. */
  async getSealed(folder: ObjectFolder, id: string, signal?: AbortSignal): Promise<SealedObject> {
    const name = `${folder}/${id}`;
    const bytes = await this.#store.get(name, undefined, signal);
    if (toHex(idOf(bytes)) !== id) throw damagedObject(name);
    return { id, bytes };
  }

  /** The JSON of a sealed object, in memory of its own. Throws REPOSITORY_CORRUPT. */
  openText(folder: ObjectFolder, { id, bytes }: SealedObject): Buffer<ArrayBuffer> {
    return openText(this.#sealer, `${folder}/${id}`, bytes);
  }

  /** What that JSON says. Throws REPOSITORY_CORRUPT. */
  parseText(folder: ObjectFolder, id: string, text: Buffer): unknown {
    return parseText(`${folder}/${id}`, text);
  }

  /** The ids in a folder. Names that are no ids (half-written files of other tools) are passed over, as restic does. */
  async *list(folder: ObjectFolder, signal?: AbortSignal): AsyncGenerator<string> {
    for await (const { id } of this.listSizes(folder, signal)) yield id;
  }

  async *listSizes(
    folder: ObjectFolder,
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly id: string; readonly sizeBytes: number }> {
    for await (const { name, sizeBytes } of this.#store.list(`${folder}/`, signal)) {
      const id = name.slice(folder.length + 1);
      if (isHexId(id)) yield { id, sizeBytes };
    }
  }

  /** What a full or failing disk may leave of an object. False when it is not there. */
  async isEmpty(folder: ObjectFolder, id: string, signal?: AbortSignal): Promise<boolean> {
    for await (const { name, sizeBytes } of this.#store.list(`${folder}/`, signal)) {
      if (name === `${folder}/${id}`) return sizeBytes === 0;
    }
    return false;
  }

  delete(folder: ObjectFolder, ids: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#store.delete(
      ids.map((id) => `${folder}/${id}`),
      signal,
    );
  }
}

/** The document in a sealed object. Throws REPOSITORY_CORRUPT, which names the object. */
export function openDocument(sealer: Sealer, name: string, sealed: Uint8Array): unknown {
  return parseText(name, openText(sealer, name, sealed));
}

/** Plain JSON (format version 1, and always the config), or the byte 2 and a zstd frame. */
function openText(sealer: Sealer, name: string, sealed: Uint8Array): Buffer<ArrayBuffer> {
  try {
    const plain = sealer.open(sealed);
    if (plain[0] !== compressedVersion) return plain;
    const text = decompress(plain.subarray(1));
    release(plain.buffer);
    return text;
  } catch (cause) {
    throw hasCode(cause, 'REPOSITORY_CORRUPT') ? damagedObject(name, cause) : cause;
  }
}

function parseText(name: string, json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (cause) {
    const error = new TidemarkError('REPOSITORY_CORRUPT', 'an object of the repository is not JSON', { cause });
    throw damagedObject(name, error);
  }
}

/** Names the object, and says what to do. */
export function damagedObject(name: string, cause?: unknown): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `${name} is damaged`, {
    hint: hintFor(name),
    cause,
  });
}

function hintFor(name: string): string {
  if (name === 'config') return configHint;
  if (name.startsWith('index/')) return indexHint;
  if (name.startsWith('locks/')) return lockHint;
  if (name.startsWith('snapshots/')) return snapshotHint;
  return name.startsWith('marks/') ? markHint : damageHint;
}

/** Nothing opens without it, neither a check. */
const configHint =
  'Bring `config` back from a copy of the repository: any copy of any age has the same. A recovery kit makes it anew when the damaged file was moved away: `tidemark key import`. Nothing else is lost with it.';
/** Nobody can act on a mark that cannot be read. */
const markHint =
  'It only names packs that a prune meant to remove later, and nothing else is damaged with it. `tidemark prune` removes it, or remove the file while no prune runs.';
/** It may be that of somebody who works, so that it is no less than a lock; restic says so, too. */
const lockHint =
  'Nobody can tell whose lock this is, so it keeps everybody out. When nothing works with the repository, run `tidemark repository unlock --all` on its destination, which takes it away; nothing else is damaged.';
const snapshotHint =
  'Other backups do not need it. Bring the file back from a copy of the repository; `tidemark repository check` on its destination says whether more is damaged.';
const damageHint =
  'Run `tidemark repository check` on its destination to see how far the damage goes; restore the file from a copy if there is one.';
/** An index is made of what stands in the packs. */
const indexHint =
  'Run `tidemark repository repair` on its destination: it makes the index anew from the packs. No backup needs this file to be restored. `tidemark repository check` says whether more is damaged.';
