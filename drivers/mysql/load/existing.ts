import type { ObjectFacts, TableFacts } from '../format/contents.ts';
import { type Connection, qualifiedName } from '../protocol/connection.ts';

/** What a server holds already: how to drop it, by what it is and its name. */
export type Existing = ReadonlyMap<string, string>;

export async function readExisting(connection: Connection): Promise<Existing> {
  const existing = new Map<string, string>();
  for (const [list, sql] of Object.entries(lists)) {
    for (const row of await connection.rows(sql)) {
      const type = row.type === 'BASE TABLE' || row.type === 'SYSTEM VERSIONED' ? 'TABLE' : row.type;
      existing.set(keyOf(list, type!, row.db!, row.name!), `DROP ${type} ${qualifiedName(row.db!, row.name!)}`);
    }
  }
  return existing;
}

/** The statement that drops what stands where this would go, or undefined. */
export function existingOf(existing: Existing, { kind, database, name }: TableFacts | ObjectFacts): string | undefined {
  const list =
    kind === 'table' || kind === 'view' || kind === 'sequence' ? 'tables' : kind === 'event' ? 'events' : 'routines';
  return existing.get(keyOf(list, kind.toUpperCase(), database, name));
}

/** As far as the account may see it. */
export function hasDatabase(existing: Existing, database: string): boolean {
  return existing.has(keyOf('databases', 'DATABASE', database, ''));
}

/** Tables, views and sequences share their names; a function and a procedure may be called the same. */
function keyOf(list: string, type: string, database: string, name: string): string {
  return JSON.stringify([list, list === 'routines' ? type : '', database, name]);
}

const lists = {
  databases: "SELECT schema_name AS db, '' AS name, 'DATABASE' AS type FROM information_schema.schemata",
  tables: 'SELECT table_schema AS db, table_name AS name, table_type AS type FROM information_schema.tables',
  routines: 'SELECT routine_schema AS db, routine_name AS name, routine_type AS type FROM information_schema.routines',
  events: "SELECT event_schema AS db, event_name AS name, 'EVENT' AS type FROM information_schema.events",
};
