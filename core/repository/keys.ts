import type { Clock } from '../clock.ts';
import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { Secret } from '../secret.ts';
import { idOf, isHexId, toHex } from './format/blob-id.ts';
import type { KeyMaterial } from './format/sealer.ts';
import { isWeak, type KeyFile, makeKeyFile, openKeyFile, parseKeyFile, type ScryptCost } from './key-file.ts';
import { withoutKeys } from './presence.ts';

export interface KeyInfo {
  readonly id: string;
  /** `weak`: passwords are tried cheaply, see `isWeak`. `damaged`: it opens with no password, and says nothing else. */
  readonly state: 'good' | 'weak' | 'damaged';
  readonly created?: Date;
  readonly username?: string;
  readonly hostname?: string;
  readonly cost?: ScryptCost;
}

export interface Identity {
  readonly host: string;
  readonly user: string;
}

/** Stores a key file that opens `master` with `password`, and reads it back. Gives its id. */
export async function addKey(
  store: Store,
  master: KeyMaterial,
  password: Secret,
  by: Identity,
  clock: Clock,
  cost?: ScryptCost,
): Promise<string> {
  const maker = { created: clock.now().toISOString(), username: by.user, hostname: by.host };
  const bytes = Buffer.from(JSON.stringify(await makeKeyFile(master, password.revealPassword(), maker, cost)));
  const id = toHex(idOf(bytes));
  await store.put(`keys/${id}`, bytes);
  if (bytes.equals(await store.get(`keys/${id}`))) return id;
  throw damagedKey(id);
}

/**
 * The master key, and which key file gave it. Throws REPOSITORY_PASSWORD; REPOSITORY_CORRUPT when there is no key, or
 * none fits and one is damaged.
 */
export async function openKey(
  store: Store,
  password: Secret,
  signal?: AbortSignal,
): Promise<{ id: string; master: KeyMaterial }> {
  let tried = 0;
  let damaged: TidemarkError | undefined;
  const onDamaged = (error: TidemarkError) => {
    damaged ??= error;
  };
  for await (const id of keyIds(store, signal)) {
    tried += 1;
    const master = await tryKey(store, id, password, onDamaged, signal);
    if (master !== undefined) return { id, master };
  }
  if (damaged !== undefined) throw damaged;
  if (tried === 0) throw withoutKeys();
  throw new TidemarkError(
    'REPOSITORY_PASSWORD',
    `none of the ${tried} keys of the repository opens with this password`,
    {
      hint: 'Check the destination’s `password` reference. If the password was changed on purpose, add the new one with `tidemark key add` first, while the old one still opens the repository. A recovery kit opens it when the password is forgotten, or its file below `keys/` is lost: `tidemark key import`.',
    },
  );
}

/** The ids of all keys that this password opens; damaged ones open with none. */
export async function keysOpenedBy(store: Store, password: Secret, signal?: AbortSignal): Promise<string[]> {
  const opened: string[] = [];
  for await (const id of keyIds(store, signal)) {
    if ((await tryKey(store, id, password, () => {}, signal)) !== undefined) opened.push(id);
  }
  return opened;
}

/** All keys, the oldest first, the damaged ones at the end. */
export async function listKeys(store: Store, signal?: AbortSignal): Promise<KeyInfo[]> {
  const keys: KeyInfo[] = [];
  for await (const id of keyIds(store, signal)) {
    const key = await describe(store, id, signal);
    if (key !== undefined) keys.push(key);
  }
  const age = ({ created }: KeyInfo) => created?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return keys.sort((a, b) => age(a) - age(b));
}

async function describe(store: Store, id: string, signal?: AbortSignal): Promise<KeyInfo | undefined> {
  try {
    const file = await readKeyFile(store, id, signal);
    return file && { id, state: isWeak(file) ? 'weak' : 'good', ...makerOf(file) };
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return { id, state: 'damaged' };
  }
}

function makerOf({ created, username = '', hostname = '', N, r, p }: KeyFile): Partial<KeyInfo> {
  const time = new Date(created ?? '');
  return { ...(!Number.isNaN(time.getTime()) && { created: time }), username, hostname, cost: { N, r, p } };
}

async function* keyIds(store: Store, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const { name } of store.list('keys/', signal)) {
    const id = name.slice('keys/'.length);
    if (isHexId(id)) yield id;
  }
}

async function tryKey(
  store: Store,
  id: string,
  secret: Secret,
  onDamaged: (error: TidemarkError) => void,
  signal?: AbortSignal,
): Promise<KeyMaterial | undefined> {
  try {
    const file = await readKeyFile(store, id, signal);
    if (file === undefined) return undefined;
    const former = secret.revealFormerPassword();
    return (await openKeyFile(file, secret.revealPassword())) ?? (former && (await openKeyFile(file, former)));
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    onDamaged(error);
    return undefined;
  }
}

/** A key removed between listing and reading is no key any more. Throws REPOSITORY_CORRUPT. */
async function readKeyFile(store: Store, id: string, signal?: AbortSignal): Promise<KeyFile | undefined> {
  const bytes = await store.get(`keys/${id}`, undefined, signal).catch((error) => {
    if (!hasCode(error, 'OBJECT_NOT_FOUND')) throw error;
  });
  if (bytes === undefined) return undefined;
  if (toHex(idOf(bytes)) !== id) throw damagedKey(id);
  return parseKeyFile(bytes, `keys/${id}`);
}

function damagedKey(id: string): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `keys/${id} is damaged`, {
    hint: 'Restore the file from a copy of the repository, or open the repository with the password of another key, or with a recovery kit: `tidemark key import`. Nothing else is lost with it.',
  });
}
