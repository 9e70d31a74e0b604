import type { Entry, ObjectFacts } from '../format/contents.ts';
import { fileName, tableFolder } from '../format/layout.ts';
import { type Statement, useDatabase, writeScript } from '../format/sql-script.ts';
import * as definitions from '../inventory/definitions.ts';
import type { DatabaseEntry, Inventory, TableEntry } from '../inventory/inventory.ts';
import type { Dump } from './work.ts';

/** Stores every definition: databases and tables with their triggers, and what stands beside the tables. */
export async function storeObjects(
  work: Dump,
  inventory: Inventory,
  tables: ReadonlyMap<TableEntry, Buffer>,
): Promise<{ entries: Entry[]; objects: ObjectFacts[] }> {
  const entries: Entry[] = [];
  const objects: ObjectFacts[] = [];
  for (const database of inventory.databases) {
    const path = `databases/${fileName(database.name)}/schema.sql`;
    await storeScript(work, path, await definitions.databaseDefinition(work.control, database.name));
    entries.push({ kind: 'database', database: database.name, path });
    for (const table of database.tables) await storeTableScripts(work, database, table, tables.get(table)!);
    objects.push(...(await storeObjectsOf(work, database)));
  }
  return { entries, objects };
}

async function storeTableScripts(work: Dump, database: DatabaseEntry, table: TableEntry, definition: Buffer) {
  const folder = tableFolder(table.database, table.name);
  await storeScript(work, `${folder}/schema.sql`, [useDatabase(table.database), definition]);
  if (table.triggers.length === 0) return;
  const statements: Statement[] = [];
  for (const trigger of table.triggers) {
    statements.push(...(await definitions.triggerDefinition(work.control, database, trigger)));
  }
  await storeScript(work, `${folder}/triggers.sql`, statements);
}

async function storeObjectsOf(work: Dump, database: DatabaseEntry): Promise<ObjectFacts[]> {
  const { control } = work;
  const facts: ObjectFacts[] = [];
  const store = async (kind: ObjectFacts['kind'], name: string, statements: readonly Statement[]) => {
    const path = `databases/${fileName(database.name)}/${fileName(name)}.${kind.replace(' ', '-')}.sql`;
    await storeScript(work, path, statements);
    facts.push({ kind, database: database.name, name, path });
  };
  for (const name of database.sequences) {
    await store('sequence', name, await definitions.sequenceDefinition(control, database.name, name));
  }
  for (const routine of database.routines) {
    const kind = routine.type.toLowerCase() as ObjectFacts['kind'];
    await store(kind, routine.name, await definitions.routineDefinition(control, database, routine));
  }
  for (const { name } of database.views) {
    await store('view', name, await definitions.viewDefinition(control, database.name, name));
  }
  for (const name of database.events) {
    await store('event', name, await definitions.eventDefinition(control, database, name));
  }
  return facts;
}

async function storeScript(work: Dump, path: string, statements: readonly Statement[]): Promise<void> {
  work.root.add(path, await work.sink.content(writeScript(statements)));
}
