import crypto from 'node:crypto';
import { promisify } from 'node:util';
import { hasCode, TidemarkError } from '../error.ts';
import { type KeyMaterial, Sealer } from './format/sealer.ts';

/**
 * Key files: JSON with scrypt parameters and the master key sealed with a key that scrypt makes of the password.
 * Source: restic's design document, "Keys, Encryption and MAC".
 */
export interface KeyFile extends ScryptCost {
  readonly created?: string;
  readonly username?: string;
  readonly hostname?: string;
  readonly kdf: 'scrypt';
  readonly salt: string;
  readonly data: string;
}

/** How dear one try of a password is: `128 * N * r` bytes of memory, and time that grows with `N * r * p`. */
export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const scrypt = promisify<crypto.BinaryLike, crypto.BinaryLike, number, crypto.ScryptOptions, Buffer>(crypto.scrypt);
/** What a new key costs: 32 MiB and some 70 ms. restic's own are made to cost about as much, or more. */
const ownCost: ScryptCost = { N: 32768, r: 8, p: 1 };
/** More than any restic asks for; a key file that wants more is an attack on our memory. */
const maxScryptBytes = 1024 * 1024 * 1024;

/** Whether passwords are tried at less than half of the memory, or of the time, that they are with a key of ours. */
export function isWeak({ N, r, p }: ScryptCost): boolean {
  return 2 * N * r < ownCost.N * ownCost.r || 2 * N * r * p < ownCost.N * ownCost.r * ownCost.p;
}

/** A key file that opens `master` with `password`. */
export async function makeKeyFile(
  master: KeyMaterial,
  password: Uint8Array,
  by: Pick<KeyFile, 'created' | 'username' | 'hostname'> = {},
  cost: ScryptCost = ownCost,
): Promise<KeyFile> {
  const salt = crypto.randomBytes(64);
  const sealer = await passwordSealer(password, { ...cost, salt });
  const data = sealer.seal(encodeMaster(master)).toString('base64');
  return { ...by, kdf: 'scrypt', ...cost, salt: salt.toString('base64'), data };
}

/** Throws REPOSITORY_CORRUPT for what is no key file, or one that nobody would make; `name` is what it says of it. */
export function parseKeyFile(bytes: Uint8Array, name: string): KeyFile {
  const file = parseJson(bytes);
  const { kdf, N, r, p, salt, data } = file ?? {};
  const isCost =
    [N, r, p].every((one) => Number.isSafeInteger(one) && one! > 0) && N! > 1 && Number.isInteger(Math.log2(N!));
  if (kdf === 'scrypt' && isCost && typeof salt === 'string' && typeof data === 'string') return file as KeyFile;
  throw new TidemarkError('REPOSITORY_CORRUPT', `${name} is no key file that can be used`, {
    hint: 'Open the repository with the password of another key.',
  });
}

/** The master key, or undefined when the password is another. Throws REPOSITORY_CORRUPT for absurd parameters. */
export async function openKeyFile(file: KeyFile, password: Uint8Array): Promise<KeyMaterial | undefined> {
  const sealer = await passwordSealer(password, { ...file, salt: Buffer.from(file.salt, 'base64') });
  try {
    return decodeMaster(sealer.open(Buffer.from(file.data, 'base64')));
  } catch (error) {
    if (hasCode(error, 'REPOSITORY_CORRUPT')) return undefined;
    throw error;
  }
}

function parseJson(bytes: Uint8Array): Partial<KeyFile> | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

async function passwordSealer(password: Uint8Array, cost: ScryptCost & { readonly salt: Buffer }): Promise<Sealer> {
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
