import type { ObjectFacts, TableFacts } from '../format/contents.ts';
import { type Connection, qualifiedName } from '../protocol/connection.ts';

/** What a server holds already. */
export interface Existing {
  /** How to drop it, by what it is and its name. */
  readonly drops: ReadonlyMap<string, string>;
  /** Whether the server tells databases, tables and views apart by the case of their names. */
  readonly hasCase: boolean;
}

export async function readExisting(connection: Connection): Promise<Existing> {
  const [row] = await connection.rows('SELECT @@lower_case_table_names AS folding');
  const hasCase = row?.folding === '0';
  const drops = new Map<string, string>();
  for (const [list, sql] of Object.entries(lists)) {
    for (const row of await connection.rows(sql)) {
      const type = row.type === 'BASE TABLE' || row.type === 'SYSTEM VERSIONED' ? 'TABLE' : row.type;
      drops.set(keyOf(hasCase, list, type!, row.db!, row.name!), `DROP ${type} ${qualifiedName(row.db!, row.name!)}`);
    }
  }
  return { drops, hasCase };
}

/** The statement that drops what stands where this would go, or undefined. */
export function existingOf(
  { drops, hasCase }: Existing,
  { kind, database, name }: TableFacts | ObjectFacts,
): string | undefined {
  const list =
    kind === 'table' || kind === 'view' || kind === 'sequence' ? 'tables' : kind === 'event' ? 'events' : 'routines';
  return drops.get(keyOf(hasCase, list, kind.toUpperCase(), database, name));
}

/** As far as the account may see it. */
export function hasDatabase({ drops, hasCase }: Existing, database: string): boolean {
  return drops.has(keyOf(hasCase, 'databases', 'DATABASE', database, ''));
}

/** Tables, views and sequences share their names; a function and a procedure may be called the same. */
function keyOf(hasCase: boolean, list: string, type: string, database: string, name: string): string {
  const key = JSON.stringify([list, list === 'routines' ? type : '', database, name]);
  return hasCase ? key : key.toLowerCase();
}

const lists = {
  databases: "SELECT schema_name AS db, '' AS name, 'DATABASE' AS type FROM information_schema.schemata",
  tables: 'SELECT table_schema AS db, table_name AS name, table_type AS type FROM information_schema.tables',
  routines: 'SELECT routine_schema AS db, routine_name AS name, routine_type AS type FROM information_schema.routines',
  events: "SELECT event_schema AS db, event_name AS name, 'EVENT' AS type FROM information_schema.events",
};
