import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { ifCorrupt } from './format/damage.ts';
import { type KeyMaterial, Sealer } from './format/sealer.ts';
import { addKey } from './keys.ts';
import { type Kit, openKit, parseKit } from './kit.ts';
import { openDocument, SealedObjects } from './objects.ts';
import { readConfig } from './presence.ts';
import { Repository, type RepositoryOptions } from './repository.ts';

export interface Recovered {
  readonly repository: Repository;
  /** False when the password opened the repository already: then nothing was written. */
  readonly added: boolean;
  /** The repository had lost its `config`, and has it again. */
  readonly configMade: boolean;
}

/**
 * Lets `options.password` open a repository by its recovery kit, whatever is left of `keys/` and `config`. Has opened it
 * when this returns. Before anything is written the kit is proven to be of this repository, and `accept` gets its id
 * and may throw. Throws KIT_UNUSABLE, REPOSITORY_MISSING, REPOSITORY_CORRUPT.
 */
export async function recover(
  options: RepositoryOptions,
  kitText: string,
  accept: (id: string) => void,
  signal?: AbortSignal,
): Promise<Recovered> {
  const { store, password, by, clock, keyCost } = options;
  const kit = parseKit(kitText);
  const master = await openKit(kit);
  const configMade = (await proveConfig(store, kit, master, signal)) === 'lost';
  accept(kit.id);
  if (configMade) await makeConfig(store, kit, master, signal);
  const opened = await openWithPassword(options, signal);
  if (opened !== undefined) return { repository: opened, added: false, configMade };
  await addKey(store, master, password, by, clock, keyCost);
  return { repository: await Repository.open(options, signal), added: true, configMade };
}

/** The config opens with the kit, or it is lost and something else of the repository does. */
async function proveConfig(
  store: Store,
  kit: Kit,
  master: KeyMaterial,
  signal?: AbortSignal,
): Promise<'there' | 'lost'> {
  const objects = new SealedObjects(store, new Sealer(master));
  const sealed = await readConfig(store, signal).catch((error) => ifCorrupt(error, () => undefined));
  if (sealed !== undefined && opensConfig(master, sealed)) return 'there';
  if (!(await opensAnything(objects, signal))) throw ofAnother(kit);
  if (sealed !== undefined) throw damagedConfig();
  return 'lost';
}

function opensConfig(master: KeyMaterial, sealed: Uint8Array): boolean {
  try {
    openDocument(new Sealer(master), 'config', sealed);
    return true;
  } catch (error) {
    return ifCorrupt(error, () => false);
  }
}

/** Of version 2, if it was 1 as well: who reads that reads both. */
async function makeConfig(store: Store, kit: Kit, master: KeyMaterial, signal?: AbortSignal): Promise<void> {
  const config = { version: 2, id: kit.id, chunker_polynomial: kit.chunker };
  const sealed = new Sealer(master).seal(Buffer.from(JSON.stringify(config)));
  await store.put('config', sealed, { ifAbsent: true, signal });
}

/** An index file or a snapshot that the key opens. Some may be damaged: so many are tried. */
async function opensAnything(objects: SealedObjects, signal?: AbortSignal): Promise<boolean> {
  for (const folder of ['snapshots', 'index'] as const) {
    let tries = mostTries;
    for await (const id of objects.list(folder, signal)) {
      if (await opens(objects, folder, id, signal)) return true;
      tries -= 1;
      if (tries === 0) break;
    }
  }
  return false;
}

const mostTries = 20;

async function opens(
  objects: SealedObjects,
  folder: 'snapshots' | 'index',
  id: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await objects.get(folder, id, signal);
    return true;
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT', 'OBJECT_NOT_FOUND')) throw error;
    return false;
  }
}

async function openWithPassword(options: RepositoryOptions, signal?: AbortSignal): Promise<Repository | undefined> {
  try {
    return await Repository.open(options, signal);
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_PASSWORD', 'REPOSITORY_CORRUPT')) throw error;
    return undefined;
  }
}

function ofAnother({ id }: Kit): TidemarkError {
  return new TidemarkError('KIT_UNUSABLE', `the recovery kit is of another repository: ${id}`, {
    hint: 'Nothing was changed. Take the kit that names this destination, or correct the path of the destination.',
  });
}

function damagedConfig(): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', 'config is damaged', {
    hint: 'Move the file `config` out of the repository and import the kit again: it makes the config anew. Nothing else is lost with it.',
  });
}
