import { hasCode } from '../../../core/error.ts';
import type { DatabaseFacts, ObjectFacts } from '../format/contents.ts';
import { fileName } from '../format/layout.ts';
import { type Statement, writeScript } from '../format/sql-script.ts';
import { keyOf } from '../inventory/census.ts';
import * as definitions from '../inventory/definitions.ts';
import type { DatabaseEntry } from '../inventory/inventory.ts';
import { isDenied, meansBusy, meansChanged, meansUnreadable } from '../protocol/server-error.ts';
import type { Dump } from './work.ts';

/** What stands beside the tables, as far as it is stored. */
export interface StoredObjects {
  /** By name. */
  readonly databases: Map<string, DatabaseFacts>;
  /** By `objectKey`. */
  readonly objects: Map<string, ObjectFacts>;
  /** What the inventory had and is not stored, by `objectKey`: `view shop.totals`, and why. */
  readonly unread: Map<string, { readonly what: string; readonly why: string; readonly hidden: boolean }>;
  /** `view shop.totals`: what is stored may be what another of them is, by `objectKey`. */
  readonly doubted: Map<string, string>;
}

/** Definitions have no snapshot: each is as it was when it was read. Stores what `stored` has not; may be called again. */
export async function storeObjects(
  work: Dump,
  databases: readonly DatabaseEntry[],
  stored: StoredObjects,
): Promise<void> {
  for (const database of databases) {
    await storeDatabase(work, database, stored);
    for (const object of objectsOf(database)) await storeObject(work, database, object, stored);
    for (const { kind, name } of database.others) {
      const [key, what] = [keyOf({ database: database.name, name }), `${kind} ${database.name}.${name}`];
      stored.unread.set(`${kind} ${key}`, { what, why: 'not carried by this version', hidden: false });
    }
  }
}

export function objectKey(kind: ObjectFacts['kind'], database: string, name: string): string {
  return `${kind} ${keyOf({ database, name })}`;
}

async function storeDatabase(
  work: Dump,
  { name, collation }: DatabaseEntry,
  { databases }: StoredObjects,
): Promise<void> {
  if (databases.has(name)) return;
  const path = `databases/${fileName(name)}/schema.sql`;
  try {
    await storeScript(work, path, await definitions.databaseDefinition(work.control, name));
    databases.set(name, { kind: 'database', database: name, collation, path });
  } catch (error) {
    if (!meansChanged(error)) throw error; // it is gone, and its tables will be missed
  }
}

interface OneObject {
  readonly kind: ObjectFacts['kind'];
  readonly name: string;
  read(work: Dump): Promise<Statement[]>;
}

function objectsOf(database: DatabaseEntry): OneObject[] {
  const own = database.name;
  return [
    ...database.sequences.map(
      (name): OneObject => ({
        kind: 'sequence',
        name,
        read: ({ control }) => definitions.sequenceDefinition(control, own, name),
      }),
    ),
    ...database.routines.map(
      (routine): OneObject => ({
        kind: routine.type.toLowerCase() as ObjectFacts['kind'],
        name: routine.name,
        read: ({ control }) => definitions.routineDefinition(control, database, routine),
      }),
    ),
    ...database.views.map(
      ({ name }): OneObject => ({
        kind: 'view',
        name,
        read: ({ control }) => definitions.viewDefinition(control, own, name),
      }),
    ),
    ...database.events.map(
      (name): OneObject => ({
        kind: 'event',
        name,
        read: ({ control }) => definitions.eventDefinition(control, database, name),
      }),
    ),
  ];
}

async function storeObject(work: Dump, { name: database }: DatabaseEntry, object: OneObject, stored: StoredObjects) {
  const { kind, name } = object;
  const key = objectKey(kind, database, name);
  if (stored.objects.has(key)) return;
  const path = `databases/${fileName(database)}/${fileName(name)}.${kind.replace(' ', '-')}.sql`;
  try {
    await storeScript(work, path, await object.read(work));
    stored.objects.set(key, { kind, database, name, path });
    stored.unread.delete(key);
  } catch (error) {
    const hidden = mayBeHidden(work, kind, error);
    if (!hidden && !meansChanged(error) && !meansUnreadable(error) && !meansBusy(error)) throw error;
    stored.unread.set(key, { what: `${kind} ${database}.${name}`, why: (error as Error).message, hidden });
  }
}

/** The server shows the names of some routines and views whose definitions it hides. */
function mayBeHidden({ allows }: Dump, kind: ObjectFacts['kind'], error: unknown): boolean {
  if (!hasCode(error, 'SOURCE_DENIED') && !isDenied(error)) return false;
  return kind === 'view' ? allows.has('views') : allows.has('routines');
}

async function storeScript(work: Dump, path: string, statements: readonly Statement[]): Promise<void> {
  work.root.add(path, await work.sink.content(writeScript(statements)));
}
