import crypto from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../clock.ts';
import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { Secret } from '../secret.ts';
import { idOf, isHexId, toHex } from './format/blob-id.ts';
import { type KeyMaterial, Sealer } from './format/sealer.ts';
import { withoutKeys } from './presence.ts';

/**
 * Key files: JSON with scrypt parameters and the master key sealed with a key that scrypt makes of the password.
 * Source: restic's design document, "Keys, Encryption and MAC".
 */
interface KeyFile {
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  readonly kdf: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly data: string;
}

export interface KeyInfo {
  readonly id: string;
  readonly created: Date;
  readonly username: string;
  readonly hostname: string;
}

export interface Identity {
  readonly host: string;
  readonly user: string;
}

const scrypt = promisify<crypto.BinaryLike, crypto.BinaryLike, number, crypto.ScryptOptions, Buffer>(crypto.scrypt);
const scryptCost = { N: 32768, r: 8, p: 1 };
/** More than any restic asks for; a key file that wants more is an attack on our memory. */
const maxScryptBytes = 1024 * 1024 * 1024;

/** Stores a key file that opens `master` with `password`. Gives its id. */
export async function addKey(
  store: Store,
  master: KeyMaterial,
  password: Secret,
  by: Identity,
  clock: Clock,
): Promise<string> {
  const salt = crypto.randomBytes(64);
  const file: KeyFile = {
    created: clock.now().toISOString(),
    username: by.user,
    hostname: by.host,
    kdf: 'scrypt',
    ...scryptCost,
    salt: salt.toString('base64'),
    data: (await passwordSealer(password.revealPassword(), { ...scryptCost, salt }))
      .seal(encodeMaster(master))
      .toString('base64'),
  };
  const bytes = Buffer.from(JSON.stringify(file));
  const id = toHex(idOf(bytes));
  await store.put(`keys/${id}`, bytes);
  return id;
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
  for await (const id of keyIds(store, signal)) {
    tried += 1;
    try {
      const file = await readKeyFile(store, id, signal);
      const master = file && (await tryPasswords(file, password));
      if (master !== undefined) return { id, master };
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      damaged ??= error;
    }
  }
  if (damaged !== undefined) throw damaged;
  if (tried === 0) {
    throw withoutKeys();
  }
  throw new TidemarkError(
    'REPOSITORY_PASSWORD',
    `none of the ${tried} keys of the repository opens with this password`,
    {
      hint: 'Check the destination’s `password` reference. If the key file was changed on purpose, add the new password with `tidemark key add` first.',
    },
  );
}

export async function listKeys(store: Store, signal?: AbortSignal): Promise<KeyInfo[]> {
  const keys: KeyInfo[] = [];
  for await (const id of keyIds(store, signal)) {
    const file = await readKeyFile(store, id, signal);
    if (file === undefined) continue;
    keys.push({ id, created: new Date(file.created), username: file.username, hostname: file.hostname });
  }
  return keys.sort((a, b) => a.created.getTime() - b.created.getTime());
}

async function* keyIds(store: Store, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const { name } of store.list('keys/', signal)) {
    const id = name.slice('keys/'.length);
    if (isHexId(id)) yield id;
  }
}

/** A key removed between listing and reading is no key any more. Throws REPOSITORY_CORRUPT. */
async function readKeyFile(store: Store, id: string, signal?: AbortSignal): Promise<KeyFile | undefined> {
  const bytes = await store.get(`keys/${id}`, undefined, signal).catch((error) => {
    if (!hasCode(error, 'OBJECT_NOT_FOUND')) throw error;
  });
  if (bytes === undefined) return undefined;
  if (toHex(idOf(bytes)) !== id) {
    throw new TidemarkError('REPOSITORY_CORRUPT', `keys/${id} is damaged`, {
      hint: 'Restore the file from a copy of the repository, or open the repository with the password of another key.',
    });
  }
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as KeyFile;
}

async function tryPasswords(file: KeyFile, secret: Secret): Promise<KeyMaterial | undefined> {
  const former = secret.revealFormerPassword();
  return (await tryKey(file, secret.revealPassword())) ?? (former && (await tryKey(file, former)));
}

async function tryKey(file: KeyFile, password: Uint8Array): Promise<KeyMaterial | undefined> {
  const sealer = await passwordSealer(password, { ...file, salt: Buffer.from(file.salt, 'base64') });
  try {
    return decodeMaster(sealer.open(Buffer.from(file.data, 'base64')));
  } catch (error) {
    if (hasCode(error, 'REPOSITORY_CORRUPT')) return undefined;
    throw error;
  }
}

async function passwordSealer(
  password: Uint8Array,
  cost: { N: number; r: number; p: number; salt: Buffer },
): Promise<Sealer> {
  const { N, r, p, salt } = cost;
  const needed = 128 * N * r + 128 * r * p + 1024 * 1024;
  if (!(needed <= maxScryptBytes))
    throw new TidemarkError('REPOSITORY_CORRUPT', 'a key file asks for absurd scrypt parameters');
  const derived = await scrypt(password, salt, 64, { N, r, p, maxmem: needed });
  return new Sealer({
    encrypt: derived.subarray(0, 32),
    macK: derived.subarray(32, 48),
    macR: derived.subarray(48, 64),
  });
}

function encodeMaster(master: KeyMaterial): Buffer {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return Buffer.from(
    JSON.stringify({ mac: { k: base64(master.macK), r: base64(master.macR) }, encrypt: base64(master.encrypt) }),
  );
}

function decodeMaster(plain: Buffer): KeyMaterial {
  const { mac, encrypt } = JSON.parse(plain.toString('utf8')) as { mac: { k: string; r: string }; encrypt: string };
  return {
    encrypt: Buffer.from(encrypt, 'base64'),
    macK: Buffer.from(mac.k, 'base64'),
    macR: Buffer.from(mac.r, 'base64'),
  };
}
