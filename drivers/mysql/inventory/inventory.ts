import { TidemarkError } from '../../../core/error.ts';
import { type Connection, quoteText, type Row } from '../protocol/connection.ts';
import type { Column } from '../rows/column.ts';
import { type Selection, systemDatabases } from './selection.ts';

/** What is there to back up. Names and shapes only; definitions are read by `definitions.ts`. */
export interface Inventory {
  readonly databases: readonly DatabaseEntry[];
}

export interface DatabaseEntry {
  readonly name: string;
  readonly collation: string;
  readonly tables: readonly TableEntry[];
  readonly views: readonly ViewEntry[];
  readonly sequences: readonly string[];
  readonly routines: readonly { readonly name: string; readonly type: RoutineType }[];
  readonly events: readonly string[];
}

export interface TableEntry {
  readonly database: string;
  readonly name: string;
  readonly engine: string;
  readonly transactional: boolean;
  /** Its rows live elsewhere (FEDERATED, MERGE, …): only the definition is carried. */
  readonly holdsNoRows: boolean;
  readonly systemVersioned: boolean;
  readonly rowsEstimate: number;
  readonly sizeBytesEstimate: number;
  readonly columns: readonly Column[];
  /** The columns of the key in whose order rows are read; empty when there is none. */
  readonly key: readonly Column[];
  /** In the order in which they fire. */
  readonly triggers: readonly string[];
}

export interface ViewEntry {
  readonly name: string;
  readonly columns: readonly string[];
}

export type RoutineType = 'FUNCTION' | 'PROCEDURE' | 'PACKAGE' | 'PACKAGE BODY';

export async function readInventory(connection: Connection, selection: Selection): Promise<Inventory> {
  const schemata = await connection.rows(
    'SELECT schema_name AS name, default_collation_name AS collation FROM information_schema.schemata',
  );
  const engines = await transactionalEngines(connection);
  const databases: DatabaseEntry[] = [];
  for (const { name, collation } of schemata) {
    if (systemDatabases.includes(name!.toLowerCase()) || !selection.touches(name!)) continue;
    databases.push({
      name: name!,
      collation: collation!,
      ...(await readDatabase(connection, selection, name!, engines)),
    });
  }
  return { databases: databases.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Name and birth of every table of these databases: when two of these are equal, no table came, went or was swapped. */
export async function readTableStamps(connection: Connection, selection: Selection): Promise<Map<string, string>> {
  const stamps = new Map<string, string>();
  const rows = await connection.rows(
    'SELECT table_schema AS db, table_name AS name, table_type AS type, create_time AS created ' +
      `FROM information_schema.tables WHERE table_schema NOT IN (${systemDatabases.map(quoteText).join(',')})`,
  );
  for (const { db, name, type, created } of rows) {
    if (selection.includes(db!, name!)) stamps.set(`${db}.${name}`, `${type} ${created}`);
  }
  return stamps;
}

async function transactionalEngines(connection: Connection): Promise<Set<string>> {
  const rows = await connection.rows(
    "SELECT engine AS name FROM information_schema.engines WHERE transactions = 'YES'",
  );
  return new Set(rows.map((row) => row.name!));
}

async function readDatabase(connection: Connection, selection: Selection, database: string, engines: Set<string>) {
  const all = await connection.rows(
    'SELECT table_name AS name, table_type AS type, engine AS engine, table_rows AS row_count, data_length AS size, ' +
      `table_comment AS comment FROM information_schema.tables WHERE table_schema = ${quoteText(database)} ORDER BY table_name`,
  );
  const wanted = all.filter((row) => selection.includes(database, row.name!));
  const columns = await readColumns(connection, database);
  const keys = await readKeys(connection, database);
  const triggers = await readTriggers(connection, database);
  const ofType = (...types: string[]) => wanted.filter((row) => types.includes(row.type!));
  return {
    tables: ofType('BASE TABLE', 'SYSTEM VERSIONED').map((row) => ({
      ...tableEntry(database, row, engines, columns.get(row.name!) ?? []),
      key: keyColumns(columns.get(row.name!) ?? [], keys.get(row.name!) ?? []),
      triggers: triggers.get(row.name!) ?? [],
    })),
    views: ofType('VIEW').map((row) => ({
      name: row.name!,
      columns: (columns.get(row.name!) ?? []).map((column) => column.name),
    })),
    sequences: ofType('SEQUENCE').map((row) => row.name!),
    routines: await readRoutines(connection, selection, database),
    events: await readEvents(connection, selection, database),
  };
}

function tableEntry(database: string, row: Row, engines: Set<string>, columns: readonly Column[]) {
  const name = row.name!;
  if (row.engine === null || row.engine === undefined) {
    throw new TidemarkError('SOURCE_FAILED', `the server cannot open table ${database}.${name}: ${row.comment ?? ''}`, {
      hint: 'Repair or drop the table, or exclude it from the plan.',
    });
  }
  return {
    database,
    name,
    engine: row.engine,
    transactional: engines.has(row.engine),
    holdsNoRows: enginesWithoutRows.test(row.engine),
    systemVersioned: row.type === 'SYSTEM VERSIONED',
    rowsEstimate: Number(row.row_count ?? 0),
    sizeBytesEstimate: Number(row.size ?? 0),
    columns,
  };
}

const enginesWithoutRows = /^(MRG_|FEDERATED|CONNECT|SPIDER|BLACKHOLE|OQGRAPH|SPHINX|PERFORMANCE_SCHEMA)/i;

async function readColumns(connection: Connection, database: string): Promise<Map<string, Column[]>> {
  const generation = await connection.rows("SHOW COLUMNS FROM information_schema.columns LIKE 'generation_expression'");
  const expression = generation.length > 0 ? 'generation_expression' : 'NULL'; // MySQL before 5.7 generates no columns
  const rows = await connection.rows(
    'SELECT table_name AS tbl, column_name AS name, data_type AS type, character_set_name AS charset, ' +
      `is_nullable AS nullable, extra AS extra, ${expression} AS expression FROM information_schema.columns ` +
      `WHERE table_schema = ${quoteText(database)} ORDER BY table_name, ordinal_position`,
  );
  return groupBy(rows, (row) => ({
    name: row.name!,
    type: row.type!.toLowerCase(),
    charset: row.charset ?? null,
    nullable: row.nullable === 'YES',
    generated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b/i.test(row.extra ?? '') || isRowTime(row.expression),
  }));
}

/** The start and end columns of a system-versioned table are written by the server alone. */
function isRowTime(expression: string | null | undefined): boolean {
  return expression === 'ROW START' || expression === 'ROW END';
}

/** Of each table, the columns of its primary key, when they are indexed whole. */
async function readKeys(connection: Connection, database: string): Promise<Map<string, string[]>> {
  const rows = await connection.rows(
    'SELECT table_name AS tbl, column_name AS name, sub_part AS part FROM information_schema.statistics ' +
      `WHERE table_schema = ${quoteText(database)} AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index`,
  );
  const prefixed = new Set(rows.filter((row) => row.part !== null).map((row) => row.tbl));
  return groupBy(
    rows.filter((row) => !prefixed.has(row.tbl!)),
    (row) => row.name!,
  );
}

function keyColumns(columns: readonly Column[], key: readonly string[]): Column[] {
  return key.map((name) => columns.find((one) => one.name === name)).filter((one) => one !== undefined);
}

async function readTriggers(connection: Connection, database: string): Promise<Map<string, string[]>> {
  const rows = await connection.rows(
    'SELECT event_object_table AS tbl, trigger_name AS name FROM information_schema.triggers ' +
      `WHERE trigger_schema = ${quoteText(database)} ORDER BY event_object_table, action_timing, event_manipulation, action_order`,
  );
  return groupBy(rows, (row) => row.name!);
}

async function readRoutines(connection: Connection, selection: Selection, database: string) {
  const rows = await connection.rows(
    'SELECT routine_name AS name, routine_type AS type FROM information_schema.routines ' +
      `WHERE routine_schema = ${quoteText(database)} ORDER BY routine_type, routine_name`,
  );
  return rows
    .filter((row) => selection.includes(database, row.name!))
    .map((row) => ({ name: row.name!, type: row.type as RoutineType }));
}

async function readEvents(connection: Connection, selection: Selection, database: string): Promise<string[]> {
  const rows = await connection.rows(
    `SELECT event_name AS name FROM information_schema.events WHERE event_schema = ${quoteText(database)} ORDER BY event_name`,
  );
  return rows.map((row) => row.name!).filter((name) => selection.includes(database, name));
}

function groupBy<Value>(rows: readonly Row[], value: (row: Row) => Value): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const group = groups.get(row.tbl!);
    if (group === undefined) groups.set(row.tbl!, [value(row)]);
    else group.push(value(row));
  }
  return groups;
}
