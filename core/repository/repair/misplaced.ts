import type { ObjectInfo, Store } from '../../driver/index.ts';
import { idOf, toHex } from '../format/blob-id.ts';
import { listPacks, type PackFile } from '../list-packs.ts';
import { packFolder, packName } from '../pack-name.ts';
import { readAll, setAside } from '../set-aside.ts';

/** A pack in a folder that is not its own. */
export interface MisplacedAction {
  /** Where it lies. */
  readonly name: string;
  readonly id: string;
  /** `put-right`: it goes where it belongs. `set-aside`: another one is no worse. */
  readonly action: 'put-right' | 'set-aside';
  readonly reason: string;
}

/**
 * What to do with packs that lie in wrong folders, each of which is read. One whose bytes are those of its name takes its
 * place whatever is in it; another one only where nothing is, to be judged there like any other pack.
 */
export async function planMisplaced(store: Store, signal: AbortSignal): Promise<MisplacedAction[]> {
  const misplaced: PackFile[] = [];
  const present = new Set<string>();
  for await (const { id } of listPacks(store, signal, (file) => misplaced.push(file))) present.add(id);
  const actions: MisplacedAction[] = [];
  for (const [id, files] of Map.groupBy(misplaced, (file) => file.id)) {
    const best = await chooseOne(store, id, files, present.has(id), signal);
    for (const { name } of files) {
      actions.push(
        name === best
          ? { name, id, action: 'put-right', reason: `it belongs to ${packName(id)}` }
          : { name, id, action: 'set-aside', reason: 'another one of its name is as good or better' },
      );
    }
  }
  return actions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name of the file that should take the place of its pack; undefined where what is there stays. */
async function chooseOne(
  store: Store,
  id: string,
  files: readonly PackFile[],
  isPresent: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (isPresent && (await isItself(store, packName(id), id, signal))) return undefined;
  for (const { name } of files) if (await isItself(store, name, id, signal)) return name;
  return isPresent ? undefined : files[0]!.name;
}

async function isItself(store: Store, name: string, id: string, signal: AbortSignal): Promise<boolean> {
  const bytes = await readAll(store, name, signal);
  return bytes !== undefined && toHex(idOf(bytes)) === id;
}

/** Nothing is read or deleted: a repair that is cut off here finds each again, in its place or out of it. */
export async function placeMisplaced(
  store: Store,
  actions: readonly MisplacedAction[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name, id, action } of actions) {
    if (action === 'set-aside') await setAside(store, name, signal);
    else await putRight(store, name, id, signal);
  }
}

/** What lies in its place goes aside unread: the plan read it, and a disk may read otherwise now. */
async function putRight(store: Store, name: string, id: string, signal: AbortSignal): Promise<void> {
  await setAside(store, packName(id), signal);
  await store.move(name, packName(id), signal);
}

/** The store as it is to be read once these packs are where they belong. What is written goes to the store as it is. */
export function asPlaced(store: Store, actions: readonly MisplacedAction[]): Store {
  const moved = actions.filter(({ action }) => action === 'put-right');
  if (moved.length === 0) return store;
  const actual = new Map(moved.map(({ name, id }) => [packName(id), name]));
  const wrong = new Map(moved.map(({ name, id }) => [name, packName(id)]));
  return {
    put: (name, bytes, options) => store.put(name, bytes, options),
    get: (name, ...how) => store.get(actual.get(name) ?? name, ...how),
    head: async (name, signal) => ({ ...(await store.head(actual.get(name) ?? name, signal)), name }),
    list: (prefix, signal) => listPlaced(store.list(prefix, signal), prefix, actual, wrong),
    delete: (names, signal) => store.delete(names, signal),
    move: (name, to, signal) => store.move(name, to, signal),
    probe: (signal) => store.probe(signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function* listPlaced(
  objects: AsyncIterable<ObjectInfo>,
  prefix: string,
  actual: ReadonlyMap<string, string>,
  wrong: ReadonlyMap<string, string>,
): AsyncGenerator<ObjectInfo> {
  for await (const object of objects) {
    if (prefix === packFolder && actual.has(object.name)) continue; // another takes its place
    yield { ...object, name: (prefix === packFolder ? wrong.get(object.name) : undefined) ?? object.name };
  }
}
