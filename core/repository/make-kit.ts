import { TidemarkError } from '../error.ts';
import type { KeyMaterial } from './format/sealer.ts';
import { makeKeyFile, type ScryptCost } from './key-file.ts';
import { formatKit, type KitWords, newKitPassword, openKit, parseKit } from './kit.ts';

/** A recovery kit of a repository, as text, that was opened once. See `kit.ts`; never to be logged. */
export async function makeKit(
  { id, chunker, master }: { readonly id: string; readonly chunker: string; readonly master: KeyMaterial },
  words: KitWords,
  cost?: ScryptCost,
): Promise<string> {
  const password = newKitPassword();
  const key = JSON.stringify(await makeKeyFile(master, Buffer.from(password), { username: 'kit' }, cost));
  const text = formatKit({ id, chunker, password, key }, words);
  if (keyBytes(await openKit(parseKit(text))).equals(keyBytes(master))) return text;
  throw new TidemarkError('BUG', 'a recovery kit does not give the key that it was made of');
}

function keyBytes({ encrypt, macK, macR }: KeyMaterial): Buffer {
  return Buffer.concat([encrypt, macK, macR]);
}
