import { type Census, keyOf, takeCensus } from '../inventory/census.ts';
import { type DatabaseEntry, readBeside } from '../inventory/inventory.ts';
import { whileNothingMoves } from './ddl-pause.ts';
import type { Ledger } from './ledger.ts';
import { type StoredObjects, storeObjects } from './object-dump.ts';
import { type Renames, readRenames, stood } from './renames.ts';
import type { Dump } from './work.ts';

/*
 * Views, sequences and events are read by their names, which nothing holds: two that change names between their readings
 * are one of them twice, and both look well. No view gets another's name unless somebody runs a statement, and the
 * server counts statements.
 */

/**
 * As long as something may have got another name `since` what is stored was read, stores anew all that is there, at last
 * while DDL waits. What went away meanwhile stays as it was stored. What cannot be proven is doubted.
 */
export async function storeRenamed(work: Dump, ledger: Ledger, since: Renames): Promise<void> {
  let before = since;
  for (let round = 0; round < rounds; round++) {
    if (renameable(ledger).length < 2 || stood(before, await readRenames(work))) return;
    work.request.progress.step('reading again the definitions that may have got another name');
    before = await readRenames(work);
    await storeAnew(work, ledger);
  }
  if (stood(before, await readRenames(work))) return;
  const unproven = await whileNothingMoves(work, async (isHeld) =>
    isHeld ? await storeAnew(work, ledger) : renameable(ledger).map(([key]) => key),
  );
  for (const key of unproven) doubt(ledger.beside, key);
}

const rounds = 3;

function renameable({ beside }: Ledger) {
  return [...beside.objects].filter(([, { kind }]) => ['view', 'sequence', 'event'].includes(kind));
}

/** Gives the keys of what is there and stored, and could not be read again. */
async function storeAnew(work: Dump, ledger: Ledger): Promise<string[]> {
  const census = await takeCensus(work.control, work.selection, work.dictionary);
  const databases = (await readBeside(work.control, work.selection)).map((one) => withoutTables(one, ledger));
  ledger.want(census);
  ledger.describe({ databases, unreadable: [], undescribed: [] }, census);
  const fresh: StoredObjects = { ...ledger.beside, objects: new Map(), unread: new Map() };
  await storeObjects(work, databases, fresh);
  const unproven = renameable(ledger).filter(
    ([key, one]) => !fresh.objects.has(key) && isThere(key, one, fresh, census),
  );
  takeOver(ledger.beside, fresh);
  return unproven.map(([key]) => key);
}

/** A view that got the name of a table which is in the backup stays under its own. */
function withoutTables(database: DatabaseEntry, { whole }: Ledger): DatabaseEntry {
  const isFree = (name: string) => !whole.has(keyOf({ database: database.name, name }));
  return {
    ...database,
    views: database.views.filter((one) => isFree(one.name)),
    sequences: database.sequences.filter(isFree),
  };
}

function isThere(
  key: string,
  { kind, database, name }: { kind: string; database: string; name: string },
  { unread }: StoredObjects,
  { entries }: Census,
): boolean {
  return unread.has(key) || (kind !== 'event' && entries.has(keyOf({ database, name })));
}

function takeOver(stored: StoredObjects, fresh: StoredObjects): void {
  for (const [key, facts] of fresh.objects) {
    stored.objects.set(key, facts);
    stored.unread.delete(key);
  }
  for (const [key, one] of fresh.unread) if (!stored.objects.has(key)) stored.unread.set(key, one);
}

function doubt({ objects, doubted }: StoredObjects, key: string): void {
  const { kind, database, name } = objects.get(key)!;
  doubted.set(key, `${kind} ${database}.${name}`);
}
