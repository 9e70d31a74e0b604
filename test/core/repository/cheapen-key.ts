import type { Store } from '../../../core/driver/index.ts';
import { makeKeyFile } from '../../../core/repository/key-file.ts';
import { openKey } from '../../../core/repository/keys.ts';
import { Secret } from '../../../core/secret.ts';
import { cheapKeys } from '../../kit/quick.ts';
import { password, sha256 } from './light-kit.ts';

/** Puts a cheap key in the place of the one that restic made with a new repository: that costs half a second each time it opens. */
export async function cheapenKey(store: Store): Promise<void> {
  const [strong, ...others] = await Array.fromAsync(store.list('keys/'), ({ name }) => name);
  if (strong === undefined || others.length > 0) throw new Error('a new repository has one key');
  const { master } = await openKey(store, new Secret(password));
  const bytes = Buffer.from(JSON.stringify(await makeKeyFile(master, Buffer.from(password), {}, cheapKeys)));
  await store.put(`keys/${sha256(bytes)}`, bytes);
  await store.delete([strong]);
}
