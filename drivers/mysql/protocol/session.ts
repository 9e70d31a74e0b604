import { unlessAborted } from '../../../core/abort.ts';
import type { ServerAddress } from '../settings.ts';
import { type Connection, type ConnectOptions, connect, loginTimeoutMs } from './connection.ts';
import { asSourceError } from './server-error.ts';

/**
 * Logs in and makes the session free of surprises: bytes are not converted, times are UTC, no sql_mode changes what is
 * printed or accepted, nothing is cut off by a time limit. Throws SOURCE_UNREACHABLE, SOURCE_DENIED, or the reason of the
 * signal, which ends the session at any time of its life. A server that falls silent before the session is ready is
 * given up after `loginTimeoutMs`.
 */
export async function openSession(address: ServerAddress, options: ConnectOptions = {}): Promise<Connection> {
  let connection: Connection | undefined;
  try {
    connection = await connect(address, options);
    await unlessAborted(prepareSession(connection), AbortSignal.timeout(options.loginTimeoutMs ?? loginTimeoutMs));
    return connection;
  } catch (error) {
    connection?.destroy();
    if (options.signal?.aborted) throw options.signal.reason;
    throw asSourceError(error, address.subject, 'cannot connect');
  }
}

async function prepareSession(connection: Connection): Promise<void> {
  await connection.execute('SET NAMES binary');
  await connection.execute(
    "SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO', sql_quote_show_create = 1, " +
      'net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 86400, group_concat_max_len = 1048576',
  );
  // Limits of time, whose names differ between servers and versions, and the age up to which MySQL 8 may tell old sizes.
  for (const name of ['max_statement_time', 'max_execution_time', 'information_schema_stats_expiry']) {
    await setIfKnown(connection, name, '0');
  }
}

/** Sets a session variable that not every server has; false where it has not. */
export async function setIfKnown(connection: Connection, name: string, value: string): Promise<boolean> {
  const rows = await connection.rows(`SHOW SESSION VARIABLES LIKE '${name}'`);
  if (rows.length > 0) await connection.execute(`SET SESSION ${name} = ${value}`);
  return rows.length > 0;
}

/**
 * Ends on the server what these connections are doing when `signal` fires: a connection of its own says KILL, so that no
 * query works on for nobody. They themselves end by the signal, without waiting for that. Dispose it when the work is
 * done: that waits for a KILL under way, one second at most.
 */
export function killOnAbort(
  address: ServerAddress,
  connectionIds: Iterable<number>,
  signal: AbortSignal,
): AsyncDisposable {
  let killing: Promise<void> | undefined;
  const kill = () => {
    killing = killAll(address, connectionIds);
  };
  if (signal.aborted) kill();
  else signal.addEventListener('abort', kill, { once: true });
  return {
    [Symbol.asyncDispose]: async () => {
      signal.removeEventListener('abort', kill);
      await killing;
    },
  };
}

async function killAll(address: ServerAddress, connectionIds: Iterable<number>): Promise<void> {
  try {
    await using connection = await openSession(address, { signal: AbortSignal.timeout(killTimeoutMs) });
    for (const id of connectionIds) await connection.execute(`KILL ${id}`).catch(alreadyGone);
  } catch {
    // Nobody is told: the work ends anyway, by the abort that is under way.
  }
}

const killTimeoutMs = 1000;

function alreadyGone(): void {}

/** A table that somebody else holds is an error (`meansBusy`) at once; MySQL takes 0 for one second. */
export const dontWait = 'SET SESSION lock_wait_timeout = 0';
export const waitShortly = 'SET SESSION lock_wait_timeout = 2';
export const waitAgain = 'SET SESSION lock_wait_timeout = DEFAULT';
