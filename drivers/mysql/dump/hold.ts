import type { Connection } from '../protocol/connection.ts';
import { isDenied, isServerError, meansBusy, meansChanged } from '../protocol/server-error.ts';
import { dontWait, waitPatiently, waitShortly } from '../protocol/session.ts';
import { savepoint } from './table-read.ts';

/**
 * MariaDB lets go of what was read, when a transaction goes back to a savepoint, only where nothing is written to the
 * binlog. Without the privilege for that, each table stays as it is until the dump has ended, and who wants to change it
 * waits.
 */
export async function letGoAtSavepoints(connection: Connection): Promise<void> {
  try {
    await connection.execute('SET SESSION sql_log_bin = 0');
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
}

/**
 * Holds tables in the connection's transaction (`anew`: a new one, whose snapshot begins with the first row that is
 * read) until it is rolled back, so that nobody can change them. Waits for a single one only: with others in hand that may
 * be a deadlock. Gives those that are held, or undefined when a deadlock ended the transaction: then none is.
 */
export async function holdTables(
  connection: Connection,
  tables: readonly string[],
  anew: boolean,
): Promise<string[] | undefined> {
  if (anew) {
    await connection.execute('ROLLBACK');
    await connection.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.execute('START TRANSACTION');
  }
  await connection.execute(tables.length === 1 ? waitShortly : dontWait);
  const held: string[] = [];
  let alive = true;
  for (const table of tables) {
    const result = await holdTable(connection, table);
    if (result === 'held') held.push(table);
    if (result === 'lost') alive = false;
    if (!alive) break;
  }
  await connection.execute(waitPatiently);
  if (!alive) return undefined;
  await connection.execute(`SAVEPOINT ${savepoint}`);
  return held;
}

async function holdTable(connection: Connection, table: string): Promise<'held' | 'busy' | 'lost'> {
  await connection.execute('SAVEPOINT one');
  try {
    await connection.execute(`SELECT 1 FROM ${table} LIMIT 0`);
    return 'held';
  } catch (error) {
    if (!isServerError(error)) throw error;
    // A view that does not work, a table that is broken or may not be read: what describes and reads it says so.
    if (!meansChanged(error) && !meansBusy(error)) return 'held';
  }
  return await letGoOfLast(connection);
}

/** A RENAME may wait for the name of a table that was not there. */
async function letGoOfLast(connection: Connection): Promise<'busy' | 'lost'> {
  try {
    await connection.execute('ROLLBACK TO SAVEPOINT one');
    return 'busy';
  } catch (error) {
    if (meansChanged(error)) return 'lost'; // there is no such savepoint
    throw error;
  }
}
