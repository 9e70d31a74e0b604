import { type Connection, isNamed, quoteText, type Row } from '../protocol/connection.ts';
import type { Column } from '../rows/column.ts';
import { type Census, type CensusEntry, keyOf, type Spaces } from './census.ts';
import { isSystemDatabase, type Selection } from './selection.ts';

/** What is there to back up. Names and shapes only; definitions are read by `definitions.ts`. */
export interface Inventory {
  readonly databases: readonly DatabaseEntry[];
  /** What the server cannot open, in its own words. */
  readonly unreadable: readonly { readonly database: string; readonly name: string; readonly why: string }[];
  /** What the census has and the server did not describe: it was being renamed, or is gone, or another has its name. */
  readonly undescribed: readonly CensusEntry[];
}

export interface DatabaseEntry {
  readonly name: string;
  readonly collation: string;
  readonly tables: readonly TableEntry[];
  readonly views: readonly ViewEntry[];
  readonly sequences: readonly string[];
  readonly routines: readonly { readonly name: string; readonly type: RoutineType }[];
  readonly events: readonly string[];
  /** Of kinds that this version does not carry. */
  readonly others: readonly { readonly name: string; readonly kind: string }[];
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
  /** When it was made, altered (MariaDB) or renamed (MariaDB) last, to the second. */
  readonly created: string | null;
  readonly spaces: Spaces;
  /** Of its database. */
  readonly collation: string;
}

export interface ViewEntry {
  readonly name: string;
  readonly columns: readonly string[];
}

const routineTypes = ['FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY'] as const;
export type RoutineType = (typeof routineTypes)[number];

/** Describes what is selected; of what `census` has, nothing is left out without being named. */
export async function readInventory(connection: Connection, selection: Selection, census?: Census): Promise<Inventory> {
  const engines = await transactionalEngines(connection);
  const databases: DatabaseEntry[] = [];
  const unreadable: Inventory['unreadable'][number][] = [];
  for (const { name, collation } of await listDatabases(connection)) {
    if (!isMeant(selection, name)) continue;
    const read = await readDatabase({ connection, selection, engines, census }, { name, collation });
    databases.push(read.entry);
    unreadable.push(...read.unreadable);
  }
  const seen = new Set([...databases.flatMap(namesOf), ...unreadable].map(keyOf));
  return {
    databases: databases.sort((a, b) => (a.name < b.name ? -1 : 1)),
    unreadable,
    undescribed: [...(census?.entries ?? [])].filter(([key]) => !seen.has(key)).map(([, entry]) => entry),
  };
}

/** Tables, views and sequences. */
export function namesOf({ name: database, tables, views, sequences }: DatabaseEntry) {
  return [...tables, ...views, ...sequences.map((name) => ({ name }))].map(({ name }) => ({ database, name }));
}

/** Describes these alone, wherever they are now; what is gone meanwhile is undescribed. */
export async function describe(connection: Connection, selection: Selection, wanted: Census): Promise<Inventory> {
  const engines = await transactionalEngines(connection);
  const collations = new Map((await listDatabases(connection)).map((one) => [one.name, one.collation]));
  const parts: Inventory[] = [];
  for (const one of wanted.entries.values()) {
    const own = { ...wanted, entries: new Map([[keyOf(one), one]]) };
    const collation = collations.get(one.database);
    if (collation === undefined) parts.push({ databases: [], unreadable: [], undescribed: [one] });
    else parts.push(await describeOne({ connection, selection, engines, census: own }, { ...one, collation }));
  }
  return {
    databases: parts.flatMap((part) => part.databases),
    unreadable: parts.flatMap((part) => part.unreadable),
    undescribed: parts.flatMap((part) => part.undescribed),
  };
}

async function describeOne(reading: Reading, one: CensusEntry & { collation: string }): Promise<Inventory> {
  const { entry, unreadable } = await readDatabase(reading, { name: one.database, collation: one.collation }, one.name);
  const isDescribed = namesOf(entry).length + unreadable.length > 0;
  return { databases: [entry], unreadable, undescribed: isDescribed ? [] : [one] };
}

/** What has a name alone: views, sequences and code, without the tables, of all databases that are meant. */
export async function readBeside(connection: Connection, selection: Selection): Promise<DatabaseEntry[]> {
  const databases: DatabaseEntry[] = [];
  for (const database of await listDatabases(connection)) {
    if (!isMeant(selection, database.name)) continue;
    const { name } = database;
    const scope = isNamed('table_schema', name);
    const rows = await connection.rows(
      `SELECT table_name AS name, table_type AS type FROM information_schema.tables WHERE ${scope} AND table_type IN ('VIEW', 'SEQUENCE')`,
    );
    const ofType = (type: string) =>
      rows.flatMap((row) => (row.type === type && selection.includes(name, row.name!) ? [row.name!] : [])).sort();
    const views = ofType('VIEW');
    const ofViews = `${scope} AND table_name IN (${views.map(quoteText).join(',')})`;
    const columns = views.length === 0 ? new Map<string, Column[]>() : await readColumns(connection, ofViews);
    databases.push({
      ...database,
      tables: [],
      views: views.map((view) => ({ name: view, columns: (columns.get(view) ?? []).map((one) => one.name) })),
      sequences: ofType('SEQUENCE'),
      ...(await readCode(connection, selection, name)),
    });
  }
  return databases;
}

function isMeant(selection: Selection, database: string): boolean {
  return !isSystemDatabase(database) && selection.touches(database);
}

/** What of a database is in no listing of tables. */
export async function readCode(connection: Connection, selection: Selection, database: string) {
  const routines = await readRoutines(connection, selection, database);
  const others = [
    ...routines.filter((one) => !isKnown(one)),
    ...(await readLibraries(connection, selection, database)),
  ];
  return {
    routines: routines.filter(isKnown),
    events: await readEvents(connection, selection, database),
    others: others.map(({ name, type }) => ({ name, kind: type.toLowerCase() })),
  };
}

interface Reading {
  readonly connection: Connection;
  readonly selection: Selection;
  readonly engines: ReadonlySet<string>;
  readonly census: Census | undefined;
}

async function listDatabases(connection: Connection): Promise<{ name: string; collation: string }[]> {
  const rows = await connection.rows(
    'SELECT schema_name AS name, default_collation_name AS collation FROM information_schema.schemata',
  );
  return rows.map((row) => ({ name: row.name!, collation: row.collation! }));
}

async function transactionalEngines(connection: Connection): Promise<Set<string>> {
  const rows = await connection.rows(
    "SELECT engine AS name FROM information_schema.engines WHERE transactions = 'YES'",
  );
  return new Set(rows.map((row) => row.name!));
}

/** `only`: no other table, and nothing that is not a table. */
async function readDatabase(
  { connection, selection, engines, census }: Reading,
  database: { name: string; collation: string },
  only?: string,
) {
  const { name } = database;
  const scope = isNamed('table_schema', name) + (only === undefined ? '' : ` AND ${isNamed('table_name', only)}`);
  const all = await connection.rows(
    'SELECT table_name AS name, table_type AS type, engine AS engine, table_rows AS row_count, data_length AS size, ' +
      `create_time AS created, table_comment AS comment FROM information_schema.tables WHERE ${scope}`,
  );
  const wanted = all.filter((row) => selection.includes(name, row.name!)).sort(byName);
  const columns = await readColumns(connection, scope);
  const keys = await readKeys(connection, scope);
  const ofType = (...types: string[]) => wanted.filter((row) => types.includes(row.type!));
  const spacesOf = (row: Row) => census?.entries.get(keyOf({ database: name, name: row.name! }))?.spaces ?? [];
  const tables = ofType('BASE TABLE', 'SYSTEM VERSIONED').filter((row) => !isNamesake(row, spacesOf(row), census));
  const columnsOf = (row: Row) => columns.get(row.name!) ?? [];
  const entry: DatabaseEntry = {
    ...database,
    tables: tables.filter(isOpen).map((row) => ({
      ...tableEntry(database, row, engines),
      spaces: spacesOf(row),
      columns: columnsOf(row),
      key: keyColumns(columnsOf(row), keys.get(row.name!) ?? []),
    })),
    views: ofType('VIEW').map((row) => ({ name: row.name!, columns: columnsOf(row).map((column) => column.name) })),
    sequences: ofType('SEQUENCE').map((row) => row.name!),
    ...(only === undefined ? await readCode(connection, selection, name) : { routines: [], events: [], others: [] }),
  };
  const closed = wanted.filter((row) => !isOpen(row) && row.type !== 'VIEW' && row.type !== 'SEQUENCE');
  return { entry, unreadable: closed.map((row) => ({ database: name, name: row.name!, why: row.comment ?? '' })) };
}

function byName(a: Row, b: Row): number {
  return a.name! < b.name! ? -1 : 1;
}

/**
 * Got its name after the census, or while that was taken: which table it is, nobody knows. Its number is in the census
 * under another name, or it is new.
 */
function isNamesake({ engine }: Row, spaces: Spaces, census: Census | undefined): boolean {
  return census?.numbersAll === true && engine === 'InnoDB' && spaces.length === 0;
}

function isOpen(row: Row): boolean {
  return row.engine != null;
}

function tableEntry(
  { name: database, collation }: { name: string; collation: string },
  row: Row,
  engines: ReadonlySet<string>,
) {
  const engine = row.engine!;
  return {
    database,
    collation,
    name: row.name!,
    engine,
    transactional: engines.has(engine),
    holdsNoRows: enginesWithoutRows.test(engine),
    systemVersioned: row.type === 'SYSTEM VERSIONED',
    rowsEstimate: Number(row.row_count ?? 0),
    sizeBytesEstimate: Number(row.size ?? 0),
    created: row.created ?? null,
  };
}

const enginesWithoutRows = /^(MRG_|FEDERATED|CONNECT|SPIDER|BLACKHOLE|OQGRAPH|SPHINX|PERFORMANCE_SCHEMA)/i;

async function readColumns(connection: Connection, scope: string): Promise<Map<string, Column[]>> {
  const generation = await connection.rows("SHOW COLUMNS FROM information_schema.columns LIKE 'generation_expression'");
  const expression = generation.length > 0 ? 'generation_expression' : 'NULL'; // MySQL before 5.7 generates no columns
  const rows = await connection.rows(
    'SELECT table_name AS tbl, column_name AS name, data_type AS type, character_set_name AS charset, ' +
      `is_nullable AS nullable, extra AS extra, ${expression} AS expression FROM information_schema.columns ` +
      `WHERE ${scope} ORDER BY table_name, ordinal_position`,
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
async function readKeys(connection: Connection, scope: string): Promise<Map<string, string[]>> {
  const rows = await connection.rows(
    'SELECT table_name AS tbl, column_name AS name, sub_part AS part FROM information_schema.statistics ' +
      `WHERE ${scope} AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index`,
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

async function readRoutines(connection: Connection, selection: Selection, database: string) {
  const rows = await connection.rows(
    'SELECT routine_name AS name, routine_type AS type FROM information_schema.routines ' +
      `WHERE ${isNamed('routine_schema', database)} ORDER BY routine_type, routine_name`,
  );
  return rows
    .filter((row) => selection.includesCode(database, row.name!))
    .map((row) => ({ name: row.name!, type: row.type! }));
}

function isKnown(routine: { name: string; type: string }): routine is { name: string; type: RoutineType } {
  return (routineTypes as readonly string[]).includes(routine.type);
}

/** MySQL 9 holds code for routines in them, and does not list them as routines. */
async function readLibraries(connection: Connection, selection: Selection, database: string) {
  if ((await connection.rows("SHOW TABLES FROM information_schema LIKE 'LIBRARIES'")).length === 0) return [];
  const rows = await connection.rows(
    `SELECT library_name AS name FROM information_schema.libraries WHERE ${isNamed('library_schema', database)} ORDER BY 1`,
  );
  return rows
    .filter((row) => selection.includesCode(database, row.name!))
    .map((row) => ({ name: row.name!, type: 'LIBRARY' }));
}

async function readEvents(connection: Connection, selection: Selection, database: string): Promise<string[]> {
  const rows = await connection.rows(
    `SELECT event_name AS name FROM information_schema.events WHERE ${isNamed('event_schema', database)} ORDER BY event_name`,
  );
  return rows.map((row) => row.name!).filter((name) => selection.includesCode(database, name));
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
