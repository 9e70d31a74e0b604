import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';

const folders = ['data', 'index', 'keys', 'locks', 'snapshots'];
/** What only a repository that was in use has: the making of one ends before. */
const usedFolders = ['snapshots', 'index', 'data'];

/** Throws REPOSITORY_EXISTS when there is any part of a repository. */
export async function rejectExisting(store: Store, signal?: AbortSignal): Promise<void> {
  for (const folder of folders) {
    const name = await firstIn(store, folder, signal);
    if (name !== undefined) throw existing(name);
  }
  const config = await store.head('config', signal).catch(ifMissing);
  if (config !== undefined) throw existing('config');
}

export function existing(name: string): TidemarkError {
  const hint =
    name.startsWith('keys/') || name.startsWith('locks/')
      ? 'If nothing but `keys/` and `locks/` is there, the making of a repository was cut short: remove them and try again. Otherwise choose another path for the destination.'
      : 'Use the repository with its own password, or choose another path for the destination.';
  return new TidemarkError('REPOSITORY_EXISTS', `there already is ${name} of a repository`, { hint });
}

/**
 * The sealed `config`. Throws REPOSITORY_MISSING where there is no repository, and REPOSITORY_CORRUPT where there is one
 * without its config: nothing must be made in that place.
 */
export async function readConfig(store: Store, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await store.get('config', undefined, signal);
  } catch (cause) {
    if (!hasCode(cause, 'OBJECT_NOT_FOUND')) throw cause;
    for (const folder of usedFolders) {
      if ((await firstIn(store, folder, signal)) !== undefined) throw withoutConfig(folder, cause);
    }
    throw new TidemarkError('REPOSITORY_MISSING', 'there is no repository here', {
      hint: 'Check the path of the destination, and whether it is mounted.',
      cause,
    });
  }
}

function withoutConfig(folder: string, cause: unknown): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `the repository has \`${folder}/\` and no file \`config\``, {
    hint: 'Bring `config` back from a copy of the repository: any copy of any age has the same. A recovery kit makes it anew: `tidemark key import`. Nothing else is lost with it.',
    cause,
  });
}

/** Throws REPOSITORY_CORRUPT: what is sealed cannot be read without a key. */
export function withoutKeys(): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', 'the repository has no key: `keys/` is empty or gone', {
    hint: 'Bring a file of `keys/` back from a copy of the repository, of any age, or make one by a recovery kit: `tidemark key import`. Without either nothing in it can be read. Then look at the keys with `tidemark key list` and add others with `tidemark key add`.',
  });
}

export async function holdsPacks(store: Store, signal?: AbortSignal): Promise<boolean> {
  return (await firstIn(store, 'data', signal)) !== undefined;
}

async function firstIn(store: Store, folder: string, signal?: AbortSignal): Promise<string | undefined> {
  for await (const object of store.list(`${folder}/`, signal)) return object.name;
  return undefined;
}

function ifMissing(error: unknown): undefined {
  if (!hasCode(error, 'OBJECT_NOT_FOUND')) throw error;
}
