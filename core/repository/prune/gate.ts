import { hasCode, type TidemarkError } from '../../error.ts';
import { Bits } from '../bits.ts';
import { fromHex } from '../format/blob-id.ts';
import type { RepositoryLock } from '../lock.ts';
import type { LockDocument } from '../lock-document.ts';
import { Numbers } from '../numbers.ts';
import type { RepositoryParts } from '../parts.ts';
import { reaches } from '../reach.ts';
import { verifyPlaces } from './copy.ts';
import type { Mark } from './marks.ts';
import { newRoots, type PlanState, type PruneParts } from './plan.ts';
import { Going, unindex } from './removal.ts';

/**
 * Keeps everybody from beginning, and lets in only who began after the marks and has read them. Gives who is in the way
 * instead, and then nothing is held.
 */
export async function takeGate(lock: RepositoryLock, ripe: readonly Mark[]): Promise<RepositoryLock | TidemarkError> {
  const accepts = (other: LockDocument) =>
    other.holder !== undefined && (other.holder === lock.holder || isLaterWriter(other, other.holder, ripe));
  try {
    return await lock.under({ exclusive: true, use: 'gate', accepts });
  } catch (error) {
    if (hasCode(error, 'REPOSITORY_LOCKED')) return error;
    throw error;
  }
}

function isLaterWriter({ use, exclusive }: LockDocument, holder: string, ripe: readonly Mark[]): boolean {
  return use === 'write' && !exclusive && !ripe.some(({ holders }) => holders?.has(holder));
}

export interface Removal {
  readonly going: Going;
  /** Marked packs that something needs again. */
  readonly rescued: number;
}

/**
 * Under the gate: looks at the snapshots and index files that came since the plan, keeps every marked pack that is needed
 * now, and takes the others out of the index. What was to be forgotten and is there needs what it has. The copies on which
 * it comes to rely only here are read; those of the plan were, see `PruneJob`. Throws REPOSITORY_CORRUPT, and then
 * nothing has gone.
 */
export async function unindexRipe(
  parts: PruneParts,
  state: PlanState,
  gate: RepositoryLock,
  signal: AbortSignal,
): Promise<Removal> {
  const { lock, view, walk, walked, options, ripe } = state;
  const roots = await newRoots(parts, walked, { ...options, forgetting: [] }, signal);
  await view.extend(signal);
  await walk.walk(roots);
  const relied = new Numbers();
  const removal = whatGoes(state, ripe, relied);
  await verifyPlaces({ ...parts, index: view.index }, relied.values(), signal);
  const change = {
    view,
    goes: (pack: number) => removal.going.packs.has(pack),
    untouched: view.filesBy(new Set((await lock.others()).flatMap(({ holder }) => holder ?? []))),
  };
  const confirm = async () => {
    await lock.confirm();
    await gate.confirm();
  };
  await unindex(parts, change, confirm, signal);
  return removal;
}

function whatGoes({ view, walk, stored, marks, use }: PlanState, ripe: readonly Mark[], relied: Numbers): Removal {
  const going = new Going();
  const { index } = view;
  const marked = new Bits();
  for (const { packs } of marks.marks) for (const { id } of packs) tell(index, id, (pack) => marked.set(pack));
  for (const { packs } of ripe) {
    for (const { id } of packs) {
      tell(
        index,
        id,
        (pack) => going.packs.set(pack),
        (orphan) => {
          if (stored.orphans.numberOf(orphan) !== undefined) going.orphans.push(orphan);
        },
      );
    }
  }
  const isThere = (place: number) => index.packOf(place) >= stored.sizes.length || reaches(index, stored.sizes, place); // the first are newer than the plan
  const stays = (place: number) => !marked.has(index.packOf(place)) && isThere(place);
  const verified = (place: number) => use.places.has(place) && stays(place);
  return { going, rescued: rescue(index, walk.used, going.packs, { stays, verified, relied }) };
}

function tell(
  index: RepositoryParts['index'],
  hex: string,
  ofIndex: (pack: number) => void,
  ofNone: (id: Uint8Array) => void = () => {},
): void {
  const id = fromHex(hex);
  const pack = index.packNumber(id);
  if (pack === undefined) ofNone(id);
  else ofIndex(pack);
}

interface Copies {
  readonly stays: (place: number) => boolean;
  readonly verified: (place: number) => boolean;
  /** Gets the places on which it is relied and that nobody has read. */
  readonly relied: Numbers;
}

/** Clears the packs that have a used blob which is in no pack that stays. Gives how many. */
function rescue(index: RepositoryParts['index'], used: Bits, going: Bits, { stays, verified, relied }: Copies): number {
  let rescued = 0;
  for (let place = 0; place < index.count; place++) {
    const pack = index.packOf(place);
    if (!going.has(pack)) continue;
    const places = index.placesOf(index.keyAt(place));
    if (!used.has(places[0]!)) continue;
    if (places.some(verified)) continue;
    const elsewhere = places.find(stays);
    if (elsewhere !== undefined) {
      relied.push(elsewhere);
      continue;
    }
    going.clear(pack);
    rescued += 1;
  }
  return rescued;
}
