import type { Store } from '../../../../core/driver/index.ts';
import { BlobIndex, blobKey } from '../../../../core/repository/blob-index.ts';
import { Sealer } from '../../../../core/repository/format/sealer.ts';
import { loadIndex } from '../../../../core/repository/index-files.ts';
import { openKey } from '../../../../core/repository/keys.ts';
import { SealedObjects } from '../../../../core/repository/objects.ts';
import type { RepositoryParts } from '../../../../core/repository/parts.ts';
import { Secret } from '../../../../core/secret.ts';
import { password } from '../repository-kit.ts';

/** The inside of a repository of the kit, for tests of what works on it. */
export async function partsOf(store: Store, opensBy = password): Promise<RepositoryParts> {
  const { master } = await openKey(store, new Secret(opensBy));
  const objects = new SealedObjects(store, new Sealer(master));
  return { store, objects, key: master, index: await loadIndex(objects) };
}

/** As if no index named these blobs (as of `blobKey`). */
export function withoutBlobs(parts: RepositoryParts, keys: readonly Uint8Array[]): RepositoryParts {
  const index = new BlobIndex();
  for (let place = 0; place < parts.index.count; place++) {
    const blob = parts.index.locationOf(place);
    const key = Buffer.from(blobKey(blob.type, blob.id));
    if (!keys.some((lost) => key.equals(lost))) index.addPack(blob.pack, [blob]);
  }
  return { ...parts, index };
}
