import type { Run } from '../../driver/index.ts';
import { damagedBlob } from '../format/damage.ts';
import { openBlob, PackBuilder } from '../format/pack.ts';
import { release } from '../format/release.ts';
import { Sealer } from '../format/sealer.ts';
import type { RepositoryLock } from '../lock.ts';
import { Numbers } from '../numbers.ts';
import { PackUploads } from '../pack-uploads.ts';
import type { RepositoryParts } from '../parts.ts';
import { readPlaces } from '../place-runs.ts';
import type { PackUse } from './pack-use.ts';

/**
 * Copies what is used of these packs into new ones. The sealed bytes stay as they are, after they were verified against
 * their id. Packs are durable before an index names them, and all is durable when this resolves. Gives the bytes written.
 * Throws REPOSITORY_CORRUPT for a blob that is damaged.
 */
export async function copyUsed(
  parts: RepositoryParts,
  lock: RepositoryLock,
  use: PackUse,
  isRepacked: (pack: number) => boolean,
  { signal, progress }: Run,
): Promise<number> {
  const sealer = new Sealer(parts.key);
  const uploads = new PackUploads(parts.store, parts.objects, signal, lock.holder);
  const builders = { data: new PackBuilder('data', sealer), tree: new PackBuilder('tree', sealer) };
  const places = placesWhere(parts, (place) => use.places.has(place) && isRepacked(parts.index.packOf(place)));
  await eachVerified(parts, places, signal, async (place, sealed) => {
    const blob = parts.index.locationOf(place);
    const pack = builders[blob.type].addSealed({ ...blob, id: new Uint8Array(blob.id) }, sealed);
    progress.add({ bytes: sealed.length });
    if (pack !== undefined) await uploads.add(pack);
  });
  for (const builder of Object.values(builders)) {
    const pack = builder.finish();
    if (pack !== undefined) await uploads.add(pack);
  }
  await uploads.finish();
  return uploads.addedBytes;
}

/**
 * Reads the places that count as used of blobs that have others, when one of those is in a pack that goes: the copy that
 * stays must be whole. Throws REPOSITORY_CORRUPT.
 */
export async function verifyRelied(
  parts: RepositoryParts,
  use: PackUse,
  goes: (pack: number) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { index } = parts;
  const places = use.relied
    .values()
    .filter(
      (place) =>
        !goes(index.packOf(place)) && index.placesOf(index.keyAt(place)).some((other) => goes(index.packOf(other))),
    );
  await verifyPlaces(parts, places, signal);
}

/** Reads these places. Throws REPOSITORY_CORRUPT for one that is damaged. */
export function verifyPlaces(parts: RepositoryParts, places: Uint32Array, signal: AbortSignal): Promise<void> {
  return eachVerified(parts, places, signal, () => {});
}

async function eachVerified(
  parts: RepositoryParts,
  places: Uint32Array,
  signal: AbortSignal,
  tell: (place: number, sealed: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const sealer = new Sealer(parts.key);
  await readPlaces(parts, places, signal, async (place, sealed) => {
    const blob = parts.index.locationOf(place);
    if (sealed === undefined) throw damagedBlob(blob.id, blob.pack, 'damaged');
    release(openBlob(sealer, blob, sealed).buffer);
    await tell(place, sealed);
  });
}

function placesWhere({ index }: RepositoryParts, has: (place: number) => boolean): Uint32Array {
  const places = new Numbers();
  for (let place = 0; place < index.count; place++) if (has(place)) places.push(place);
  return places.values();
}
