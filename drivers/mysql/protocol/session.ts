import { unlessAborted } from '../../../core/abort.ts';
import type { ServerAddress } from '../settings.ts';
import { type Connection, type ConnectOptions, connect, loginTimeoutMs } from './connection.ts';
import { asSourceError, errno, isServerError } from './server-error.ts';
import { setVariables, variablesOfAll } from './session-variables.ts';

/**
 * Logs in and makes the session free of surprises: bytes are not converted, times are UTC, nothing that the server is
 * set to for everybody changes what is printed or accepted, or cuts it off. Throws SOURCE_UNREACHABLE, SOURCE_DENIED, or the reason of the
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
  await undoInitConnect(connection);
  await connection.execute('SET NAMES binary');
  // First of all: these limits cut lists of variables off too, one of them without a word.
  await connection.execute('SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1');
  await setVariables(connection, variablesOfAll);
}

/** `init_connect` may have begun a transaction, locked tables, or hidden some behind temporary ones. */
async function undoInitConnect(connection: Connection): Promise<void> {
  try {
    await connection.reset();
  } catch (error) {
    if (!isServerError(error, errno.unknownCommand)) throw error;
    await connection.execute('ROLLBACK');
    await connection.execute('UNLOCK TABLES');
  }
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
/** For whoever reads: one that somebody has locked for longer does not keep the others waiting, and is read later. */
export const waitPatiently = 'SET SESSION lock_wait_timeout = 30';
/** As the session began. Not DEFAULT, which is whatever the server has for everybody. */
export const staysWhenSilent = `SET SESSION wait_timeout = ${variablesOfAll.must.wait_timeout}`;
