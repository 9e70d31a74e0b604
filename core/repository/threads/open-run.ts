import type { TidemarkError } from '../../error.ts';
import type { BlobRun } from '../blob-fetcher.ts';
import { idBytes } from '../format/blob-id.ts';
import { ifCorrupt } from '../format/damage.ts';
import { openBlob, type SealedBlob } from '../format/pack.ts';
import type { Sealer } from '../format/sealer.ts';

/** Brings a blob from the place after so many that are no good. Throws REPOSITORY_CORRUPT when there is none. */
type FromPlace = (id: Uint8Array, place: number) => Promise<BlobRun>;

/** The plain blobs of a run, each checked against its id. A damaged one is looked for in the other packs that have it. */
export async function* openRun(
  sealer: Sealer,
  run: BlobRun,
  ids: Uint8Array,
  fromPlace: FromPlace,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const [at, { length, plainBytes }] of run.blobs.entries()) {
    const id = ids.subarray(at * idBytes, (at + 1) * idBytes);
    const sealed = run.sealed.subarray(offset, offset + length);
    offset += length;
    const plain = openOrDamage(sealer, { id, pack: run.pack, plainBytes }, sealed);
    yield plain instanceof Uint8Array ? plain : await openElsewhere(sealer, id, plain, fromPlace);
  }
}

function openOrDamage(sealer: Sealer, blob: SealedBlob, sealed: Uint8Array): Uint8Array | TidemarkError {
  try {
    return openBlob(sealer, blob, sealed);
  } catch (error) {
    return ifCorrupt(error, (damage) => damage);
  }
}

async function openElsewhere(
  sealer: Sealer,
  id: Uint8Array,
  damage: TidemarkError,
  fromPlace: FromPlace,
): Promise<Uint8Array> {
  for (let place = 1; ; place++) {
    const run = await fromPlace(id, place).catch((error) => ifCorrupt(error, () => undefined));
    if (run === undefined) throw damage;
    const plain = openOrDamage(sealer, { id, pack: run.pack, plainBytes: run.blobs[0]!.plainBytes }, run.sealed);
    if (plain instanceof Uint8Array) return plain;
  }
}
