import type { Content } from '../../../core/driver/index.ts';
import { type Statement, writeScript } from '../format/sql-script.ts';
import { type Dictionary, findSpaces } from '../inventory/census.ts';
import { columnsOf, tableDefinition, triggerDefinition } from '../inventory/definitions.ts';
import type { TableEntry } from '../inventory/inventory.ts';
import { type Connection, isNamed } from '../protocol/connection.ts';
import { meansBusy, meansChanged, meansUnreadable, type ServerError } from '../protocol/server-error.ts';
import { dontWait, waitPatiently } from '../protocol/session.ts';
import type { RowCutter } from '../rows/row-cutter.ts';
import { RowsToTsv } from '../rows/row-to-tsv.ts';

/** A table, or a range of it, to be read as the inventory described it. */
export interface TableRead {
  readonly table: Pick<TableEntry, 'database' | 'name' | 'collation' | 'created' | 'spaces'>;
  /** The names of all its columns, in their order. */
  readonly columns: readonly string[];
  /** Absent where only the definition is carried. */
  readonly query?: string;
  /** Per column of the query. */
  readonly escaped: readonly boolean[];
}

export type ReadOutcome =
  | {
      readonly state: 'whole';
      readonly rows: number;
      readonly content?: Content;
      readonly definition: Uint8Array;
      /** The script that makes its triggers, in the order in which they fire; absent without any. */
      readonly triggers?: Uint8Array;
    }
  /** `changed`: not what was described, look again. `unreadable`: the server cannot read it. */
  | { readonly state: 'changed' | 'unreadable'; readonly detail: string };

/** Set when the snapshot starts; going back to it lets go of tables and keeps the snapshot. */
export const savepoint = 'tidemark';

/**
 * Reads tables out of the connection's snapshot. A snapshot holds rows, not names: it gives without an error the rows of
 * another table that was swapped into the name, or of a column that was dropped and added anew. But a table that was
 * read stays as it is until the transaction lets go of it. So definition, triggers, age and the numbers in InnoDB's
 * dictionary are asked for while it is held, and what does not fit the description is `changed`.
 */
export async function readTables(
  connection: Connection,
  cutter: RowCutter,
  reads: readonly TableRead[],
  dictionary: Dictionary | undefined,
): Promise<ReadOutcome[]> {
  const outcomes: ReadOutcome[] = [];
  let rest = reads;
  while (rest.length > 0) {
    const read = await readTogether(connection, cutter, rest);
    outcomes.push(...(await withoutSwapped(connection, dictionary, rest, read)));
    // Lets go of the tables, or the next ALTER TABLE would wait for the end of the dump and all others for the ALTER.
    await connection.execute(`ROLLBACK TO SAVEPOINT ${savepoint}`);
    rest = rest.slice(read.length);
  }
  return outcomes;
}

/**
 * Reads as many as can be held without waiting for one while others are held: that would be a deadlock with who changes
 * both, and the end of the snapshot.
 */
async function readTogether(
  connection: Connection,
  cutter: RowCutter,
  reads: readonly TableRead[],
): Promise<ReadOutcome[]> {
  const first = await readTable(connection, cutter, reads[0]!).catch(undefinedWhenBusy);
  const outcomes = [first ?? changed('somebody else held it for too long')];
  if (reads.length === 1) return outcomes;
  await connection.execute(dontWait);
  for (const read of reads.slice(1)) {
    const outcome = await readTable(connection, cutter, read).catch(undefinedWhenBusy);
    if (outcome === undefined) break;
    outcomes.push(outcome);
  }
  await connection.execute(waitPatiently);
  return outcomes;
}

function undefinedWhenBusy(error: unknown): undefined {
  if (!meansBusy(error)) throw error;
}

/** Those whose parts are no longer called so in InnoDB's dictionary were swapped for others. */
async function withoutSwapped(
  connection: Connection,
  dictionary: Dictionary | undefined,
  reads: readonly TableRead[],
  outcomes: readonly ReadOutcome[],
): Promise<readonly ReadOutcome[]> {
  if (dictionary === undefined) return outcomes;
  const expected = reads.slice(0, outcomes.length).map((read) => read.table.spaces);
  const found = await findSpaces(connection, dictionary, expected.flat());
  return outcomes.map((outcome, at) => {
    const isSwapped = expected[at]!.some((space) => !found.has(space));
    return outcome.state === 'whole' && isSwapped ? changed('it was swapped for another') : outcome;
  });
}

export function nameOf({ table }: TableRead): string {
  return `${table.database}.${table.name}`;
}

async function readTable(connection: Connection, cutter: RowCutter, read: TableRead): Promise<ReadOutcome> {
  try {
    return await readHeld(connection, cutter, read);
  } catch (error) {
    if (meansChanged(error)) return changed((error as Error).message);
    if (meansUnreadable(error)) return { state: 'unreadable', detail: (error as ServerError).message };
    throw error;
  }
}

async function readHeld(connection: Connection, cutter: RowCutter, read: TableRead): Promise<ReadOutcome> {
  const { database, name, created } = read.table;
  cutter.begin();
  const converter = new RowsToTsv(read.escaped, cutter);
  if (read.query !== undefined) await connection.stream(read.query, converter);
  const definition = await tableDefinition(connection, database, name);
  if (!hasColumns(definition, read)) return changed('its columns were changed');
  const where = `${isNamed('table_schema', database)} AND ${isNamed('table_name', name)}`;
  const now = await connection.row(`SELECT create_time AS created FROM information_schema.tables WHERE ${where}`);
  if ((now?.created ?? null) !== created) return changed('it was altered, renamed or made anew');
  const triggers = await readTriggers(connection, read.table);
  return {
    state: 'whole',
    rows: converter.rows,
    content: read.query === undefined ? undefined : cutter.content(),
    definition,
    triggers,
  };
}

async function readTriggers(connection: Connection, table: TableRead['table']): Promise<Buffer | undefined> {
  const rows = await connection.rows(
    `SELECT trigger_name AS name FROM information_schema.triggers WHERE ${isNamed('event_object_schema', table.database)} ` +
      `AND ${isNamed('event_object_table', table.name)} ORDER BY action_timing, event_manipulation, action_order`,
  );
  const statements: Statement[] = [];
  const database = { name: table.database, collation: table.collation };
  for (const { name } of rows) statements.push(...(await triggerDefinition(connection, database, name!)));
  return statements.length === 0 ? undefined : writeScript(statements);
}

function changed(detail: string): ReadOutcome {
  return { state: 'changed', detail };
}

function hasColumns(definition: Buffer, { columns }: TableRead): boolean {
  const defined = columnsOf(definition);
  return defined.length === columns.length && columns.every((one, at) => one === defined[at]);
}
