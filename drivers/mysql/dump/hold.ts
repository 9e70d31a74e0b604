import type { Connection } from '../protocol/connection.ts';
import { errno, isDenied, isServerError, meansBusy, meansChanged } from '../protocol/server-error.ts';
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
 * be a deadlock. A table whose engine knows no savepoints (Aria) is held alone. Gives those that are held, or undefined
 * when a deadlock ended the transaction: then none is.
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
    await connection.execute(`SAVEPOINT ${savepoint}`);
  }
  await connection.execute(tables.length === 1 ? waitShortly : dontWait);
  const held: string[] = [];
  const isAlone = anew && tables.length === 1;
  let last: Hold | undefined;
  for (const table of tables) {
    last = await holdTable(connection, table, isAlone);
    if (last === 'held' || last === 'alone') held.push(table);
    if (last === 'lost') break;
  }
  await connection.execute(waitPatiently);
  if (last === 'lost') return undefined;
  if (last !== 'alone') await connection.execute(`SAVEPOINT ${savepoint}`);
  return held;
}

/** `alone`: no savepoint can be set while it is held; the one before it stands. */
type Hold = 'held' | 'alone' | 'busy' | 'lost';

async function holdTable(connection: Connection, table: string, isAlone: boolean): Promise<Hold> {
  await connection.execute('SAVEPOINT one');
  try {
    await connection.execute(`SELECT 1 FROM ${table} LIMIT 0`);
    await connection.execute('SAVEPOINT after_it');
    return 'held';
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (isServerError(error, errno.noSavepoint)) return isAlone ? 'alone' : await letGoOfLast(connection);
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
