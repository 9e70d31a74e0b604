import { type Connection, qualifiedName, quoteText } from '../protocol/connection.ts';
import { isAtLeast, type Server } from '../server.ts';
import { isSystemDatabase, type Selection, systemDatabases } from './selection.ts';

/*
 * `information_schema.tables` with any column for which the server opens a table leaves out, without a word, a table
 * that is being renamed: two such listings that both miss it agree. Here no table is opened: names come from the
 * server's own folders, and beside them stands InnoDB's dictionary, in which a table keeps its numbers whatever it is
 * called. What only one of the two knows was moved between them.
 */

/** One look at what is there. */
export interface Census {
  /** Tables, views and sequences, by `keyOf`. */
  readonly entries: ReadonlyMap<string, CensusEntry>;
  /** The dictionary knows selected tables whose names the listing has not, or one by two names: something moved, look again. */
  readonly moving: boolean;
  /** These tables, as the dictionary calls them. What is still here when nothing moves has lost its definition. */
  readonly nameless: readonly CensusEntry[];
  /** Each table of InnoDB has numbers here. One that has none moved while this look was taken, or is not in it. */
  readonly numbersAll: boolean;
  /** Numbers are given in ascending order: what has a greater one was made after this look. */
  readonly newestNumber: number;
}

export interface CensusEntry {
  readonly database: string;
  readonly name: string;
  readonly spaces: Spaces;
}

/**
 * `<number> <name>` of each part of a table (the whole table, or its partitions) in InnoDB's dictionary; empty for what
 * InnoDB does not hold. A swap of two tables or an exchange of a partition leaves everything else as it was.
 */
export type Spaces = readonly string[];

export function keyOf({ database, name }: { readonly database: string; readonly name: string }): string {
  return qualifiedName(database, name);
}

/** `dictionary`: its name, see `dictionaryOf`; without it nothing but names is known. */
export async function takeCensus(
  connection: Connection,
  selection: Selection,
  dictionary: Dictionary | undefined,
): Promise<Census> {
  const files = dictionary === undefined ? new Map<string, string[]>() : await readDictionary(connection, dictionary);
  const entries = new Map<string, CensusEntry>();
  const known = new Set<string>();
  for (const { database, name, file } of await listNames(connection, dictionary)) {
    known.add(file);
    if (!selection.includes(database, name)) continue;
    entries.set(keyOf({ database, name }), { database, name, spaces: files.get(file) ?? [] });
  }
  const numbers = [...files.values()].flat().map(numberOf);
  const unlisted = [...files].filter(([file]) => !known.has(file) && !isInternal(file));
  const nameless = dictionary?.namesFiles
    ? unlisted
        .map(([file, spaces]) => ({ ...namesOfFile(file), spaces }))
        .filter((one) => selection.includes(one.database, one.name))
    : [];
  return {
    entries,
    moving: nameless.length > 0 || (dictionary?.namesFiles === true && new Set(numbers).size < numbers.length),
    nameless,
    numbersAll: dictionary?.namesFiles === true,
    newestNumber: numbers.reduce((newest, one) => Math.max(newest, one), 0),
  };
}

/** No table came, went, was renamed, rebuilt or swapped between two looks. */
export function sameCensus(a: Census, b: Census): boolean {
  const text = (one: CensusEntry | undefined) => one?.spaces.join();
  return (
    a.entries.size === b.entries.size && [...a.entries].every(([key, one]) => text(b.entries.get(key)) === text(one))
  );
}

export function numberOf(space: string): number {
  return Number.parseInt(space, 10);
}

export interface Dictionary {
  /** How its numbers are read: `id` and `name` of tables and partitions. */
  readonly select: string;
  readonly number: 'table_id' | 'space';
  /** Older servers and MariaDB tell how they write a name as a file's; MySQL 8 keeps that to itself. */
  readonly namesFiles: boolean;
}

/**
 * MySQL 8 waits for each table that it lists from its dictionary of tables, which a RENAME may hold that waits for us; its
 * list of tablespaces it reads freely. There a table without a space of its own is known by its age alone.
 */
export function dictionaryOf(server: Server): Dictionary {
  const isNew = isAtLeast(server, { mysql: 800 });
  const [number, table] = isNew
    ? (['space', 'INNODB_TABLESPACES'] as const)
    : (['table_id', 'INNODB_SYS_TABLES'] as const);
  const select = `SELECT ${number} AS id, name AS name FROM information_schema.${table}`;
  return { select, number, namesFiles: !isNew };
}

/** Which of these spaces are still there under the same name. Needs PROCESS. */
export async function findSpaces(
  connection: Connection,
  { select, number }: Dictionary,
  spaces: Spaces,
): Promise<ReadonlySet<string>> {
  if (spaces.length === 0) return new Set();
  const rows = await connection.rows(`${select} WHERE ${number} IN (${spaces.map(numberOf)})`);
  return new Set(rows.map(({ id, name }) => `${id} ${name}`));
}

async function readDictionary(connection: Connection, { select }: Dictionary): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  for (const { id, name } of await connection.rows(`${select} WHERE name LIKE '%/%' ORDER BY 1`)) {
    const file = name!.replace(/#p#.*$/is, '').replace(deviceMark, '');
    const spaces = files.get(file);
    if (spaces === undefined) files.set(file, [`${id} ${name}`]);
    else spaces.push(`${id} ${name}`);
  }
  return files;
}

async function listNames(connection: Connection, dictionary: Dictionary | undefined) {
  const file = (column: string) =>
    dictionary?.namesFiles ? `CAST(CONVERT(${column} USING filename) AS BINARY)` : 'NULL';
  const rows = await connection.rows(
    `SELECT table_schema AS db, table_name AS name, ${file('table_schema')} AS folder, ${file('table_name')} AS file ` +
      `FROM information_schema.tables WHERE CAST(table_schema AS BINARY) NOT IN (${systemDatabases.map(quoteText).join(',')})`,
  );
  const own = rows.filter((row) => !isSystemDatabase(row.db!));
  return own.map((row) => ({
    database: row.db!,
    name: row.name!,
    file: `${row.folder ?? fileOf(row.db!)}/${row.file ?? fileOf(row.name!)}`.replace(deviceMark, ''),
  }));
}

/**
 * How the server writes a name as a file's. Some letters with accents have short codes of their own, which are not known
 * here; such a table seems to be none of InnoDB's.
 */
function fileOf(name: string): string {
  return name.replace(/[^0-9A-Za-z_]/g, (unit) => `@${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Put behind what Windows takes for a device (`aux`, `con`), though not by CONVERT. No other name ends so: `@` is written as `@0040`. */
const deviceMark = /@@@(?=\/|$)/g;

/** The reverse, as far as it is known. */
function namesOfFile(file: string): { database: string; name: string } {
  const [database = '', name = ''] = file.split('/').map((part) => part.replace(/@([0-9a-f]{4})/g, unitOf));
  return { database, name };
}

function unitOf(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

/**
 * Of the server itself: its own databases, tables of running statements, parts of full-text and (`#i#`) vector indexes. In
 * the name of a table of somebody's, `#` is written as `@0023`.
 */
function isInternal(file: string): boolean {
  const [database = '', name] = file.split('/');
  return name === undefined || isSystemDatabase(database) || /^#|^FTS_|#i#\d+$/.test(name);
}
