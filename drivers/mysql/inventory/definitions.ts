import { TidemarkError } from '../../../core/error.ts';
import { type Statement, useDatabase } from '../format/sql-script.ts';
import { type Connection, qualifiedName, quoteName } from '../protocol/connection.ts';
import { type CommentPlace, withPlainComment } from './comments.ts';
import type { DatabaseEntry, RoutineType } from './inventory.ts';

/*
 * Definitions as the server prints them, in its own bytes: a body keeps the character set it was written in, and the
 * statements before it set that character set and the sql_mode it depends on, as mysqldump does.
 */

export async function databaseDefinition(connection: Connection, database: string): Promise<Statement[]> {
  const statement = await showCreate(connection, `DATABASE IF NOT EXISTS ${quoteName(database)}`, 'Create Database');
  return [statement];
}

export async function tableDefinition(connection: Connection, database: string, name: string): Promise<Buffer> {
  return showCreate(connection, `TABLE ${qualifiedName(database, name)}`, 'Create Table');
}

/** The names of its columns as the server prints them: one a line, indented, quoted. */
export function columnsOf(table: Buffer): string[] {
  const lines = table.toString('utf8').matchAll(/^ {2}`((?:[^`]|``)*)` /gm);
  return [...lines].map(([, name]) => name!.replaceAll('``', '`'));
}

/** The sequence with its next value; values that the server holds in its cache are skipped, none is given twice. */
export async function sequenceDefinition(connection: Connection, database: string, name: string) {
  const qualified = qualifiedName(database, name);
  const statement = await showCreate(connection, `SEQUENCE ${qualified}`, 'Create Table');
  const state = await connection.row(`SELECT next_not_cached_value AS next, cycle_count AS round FROM ${qualified}`);
  return [useDatabase(database), statement, `DO SETVAL(${quoteName(name)}, ${state?.next}, 0, ${state?.round})`];
}

export async function viewDefinition(connection: Connection, database: string, name: string): Promise<Statement[]> {
  const row = await showCreateRow(connection, `VIEW ${qualifiedName(database, name)}`);
  const statement = body(row, 'Create View', `view ${database}.${name}`);
  const replacing = Buffer.concat([Buffer.from('CREATE OR REPLACE '), statement.subarray('CREATE '.length)]);
  return [useDatabase(database), ...charsetOf(row), replacing, ...afterwards];
}

/** A view of the same name and columns, for other views to refer to before this one can be made. */
export function standInView(database: string, name: string, columns: readonly string[]): Statement {
  const list = columns.map((column) => `1 AS ${quoteName(column)}`).join(', ');
  return `CREATE OR REPLACE VIEW ${qualifiedName(database, name)} AS SELECT ${list === '' ? '1' : list}`;
}

export async function routineDefinition(
  connection: Connection,
  { name: database, collation }: DatabaseEntry,
  { name, type }: { name: string; type: RoutineType },
): Promise<Statement[]> {
  const shown = await showCreateRow(connection, `${type} ${qualifiedName(database, name)}`);
  const column = Object.keys(shown).find((key) => key.startsWith('Create ')) ?? '';
  const row = await inItsMode(connection, shown, column, { of: 'routine', database, name, type });
  return codeStatements(row, column, database, collation, `${type.toLowerCase()} ${database}.${name}`);
}

export async function triggerDefinition(
  connection: Connection,
  { name: database, collation }: Pick<DatabaseEntry, 'name' | 'collation'>,
  name: string,
): Promise<Statement[]> {
  const row = await showCreateRow(connection, `TRIGGER ${qualifiedName(database, name)}`);
  return codeStatements(row, 'SQL Original Statement', database, collation, `trigger ${database}.${name}`);
}

export async function eventDefinition(
  connection: Connection,
  { name: database, collation }: DatabaseEntry,
  name: string,
): Promise<Statement[]> {
  const shown = await showCreateRow(connection, `EVENT ${qualifiedName(database, name)}`);
  const row = await inItsMode(connection, shown, 'Create Event', { of: 'event', database, name });
  const zone = `SET SESSION time_zone = '${row.time_zone?.toString('latin1')}'`;
  const [use, ...rest] = codeStatements(row, 'Create Event', database, collation, `event ${database}.${name}`);
  return [use!, zone, ...rest, "SET SESSION time_zone = '+00:00'"];
}

type DefinitionRow = Record<string, Buffer | null>;

async function inItsMode(
  connection: Connection,
  row: DefinitionRow,
  column: string,
  place: CommentPlace,
): Promise<DefinitionRow> {
  const definition = row[column];
  if (definition == null || !row.sql_mode?.includes('NO_BACKSLASH_ESCAPES')) return row;
  return { ...row, [column]: await withPlainComment(connection, definition, place) };
}

async function showCreateRow(connection: Connection, what: string): Promise<DefinitionRow> {
  const [row] = await connection.bytes(`SHOW CREATE ${what}`);
  if (row === undefined) throw new TidemarkError('SOURCE_CHANGED', `${what.toLowerCase()} is gone`);
  return row;
}

async function showCreate(connection: Connection, what: string, column: string): Promise<Buffer> {
  return body(await showCreateRow(connection, what), column, what);
}

/** The server hides what the account may not see behind NULL. */
function body(row: DefinitionRow, column: string, what: string): Buffer {
  const text = row[column];
  if (text != null) return text;
  if (text === undefined) throw new TidemarkError('SOURCE_CHANGED', `${what.toLowerCase()} is something else now`);
  throw new TidemarkError('SOURCE_DENIED', `the definition of ${what} is hidden from this account`, {
    hint: 'Grant SELECT on mysql.proc (MariaDB) or SHOW_ROUTINE (MySQL 8.0.20 and newer), or connect as its definer.',
  });
}

/** A routine, trigger or event in the sql_mode, character set and database collation that it was made with. */
function codeStatements(row: DefinitionRow, column: string, database: string, collation: string, what: string) {
  const made = row['Database Collation']?.toString('latin1') ?? collation;
  const alter = (to: string) => (made === collation ? [] : [`ALTER DATABASE ${quoteName(database)} COLLATE ${to}`]);
  return [
    useDatabase(database),
    ...alter(made),
    `SET SESSION sql_mode = '${row.sql_mode?.toString('latin1') ?? ''}'`,
    ...charsetOf(row),
    body(row, column, what),
    ...afterwards,
    ...alter(collation),
  ];
}

function charsetOf(row: DefinitionRow): Statement[] {
  return [
    `SET SESSION character_set_client = ${row.character_set_client?.toString('latin1')}`,
    `SET SESSION collation_connection = ${row.collation_connection?.toString('latin1')}`,
  ];
}

const afterwards: readonly Statement[] = ['SET NAMES utf8mb4', "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"];
