import type { Connection, Row } from './protocol/connection.ts';
import { ServerError } from './protocol/server-error.ts';

/** Which server this is. */
export interface Server {
  readonly flavour: 'mariadb' | 'mysql';
  /** As the server says it: `10.11.19-MariaDB-0+deb12u1-log`. */
  readonly version: string;
  /** Major * 100 + minor, so that versions compare as numbers: 1011. */
  readonly release: number;
  /** Tells this data from any other server's. */
  readonly identity: string;
  readonly logsBinary: boolean;
  /** It applies, or may apply, the log of another server. */
  readonly mayReplicate: boolean;
  /**
   * Not every commit moves the position in the binlog, so that equal positions do not mean equal data: what is replicated
   * is not logged (`log_slave_updates` off, MariaDB's default), databases are left out, the log lies in an engine, or
   * there is a cluster. What sessions with `sql_log_bin = 0` write is in none of these cases; see `consistent-point.ts`.
   */
  readonly positionIsPartial: boolean;
}

export async function readServer(connection: Connection): Promise<Server> {
  const variables = await readVariables(connection);
  const version = variables.get('version') ?? '';
  const flavour = /mariadb/i.test(version) || variables.has('aria_block_size') ? 'mariadb' : 'mysql';
  const [major = '0', minor = '0'] = version.split('.');
  const mayReplicate = flavour === 'mariadb' && (await hasPrimary(connection));
  return {
    flavour,
    version,
    release: Number.parseInt(major, 10) * 100 + Number.parseInt(minor, 10),
    identity: identityOf(variables),
    logsBinary: variables.get('log_bin') === 'ON',
    mayReplicate,
    positionIsPartial:
      variables.get('wsrep_on') === 'ON' ||
      Boolean(variables.get('binlog_storage_engine')) ||
      (mayReplicate && variables.get('log_slave_updates') !== 'ON') ||
      (await filtersBinlog(connection)),
  };
}

/** For people: `MariaDB 10.11.19`. */
export function describeServer({ flavour, version }: Server): string {
  return `${flavour === 'mariadb' ? 'MariaDB' : 'MySQL'} ${/^[\d.]+/.exec(version)?.[0] ?? version}`;
}

/** True for what older servers lack: `isAtLeast(server, { mariadb: 1004 })`. */
export function isAtLeast(server: Server, { mariadb, mysql }: { mariadb?: number; mysql?: number }): boolean {
  const needed = server.flavour === 'mariadb' ? mariadb : mysql;
  return needed !== undefined && server.release >= needed;
}

async function readVariables(connection: Connection): Promise<Map<string, string>> {
  const names = [
    'version',
    'log_bin',
    'log_slave_updates',
    'binlog_storage_engine',
    'wsrep_on',
    'aria_block_size',
    'server_uuid',
    'server_uid',
    'server_id',
    'hostname',
    'port',
    'datadir',
  ];
  const list = names.map((name) => `'${name}'`).join(',');
  const rows = await connection.rows(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list})`);
  return new Map(rows.map((row) => [row.Variable_name ?? '', row.Value ?? '']));
}

/**
 * MySQL writes a UUID into its data folder. MariaDB (10.10 and newer) hashes the machine's address and its port, which
 * is the nearest it has; older ones are told apart by where they run.
 */
function identityOf(variables: Map<string, string>): string {
  const own = variables.get('server_uuid') ?? variables.get('server_uid');
  if (own !== undefined && own !== '') return own;
  const place = ['hostname', 'port', 'datadir', 'server_id'].map((name) => variables.get(name) ?? '');
  return place.join(':');
}

/** Also one that is stopped: it may be started. True where the account may not know. */
async function hasPrimary(connection: Connection): Promise<boolean> {
  try {
    return (await connection.rows('SHOW ALL SLAVES STATUS')).length > 0;
  } catch (error) {
    if (error instanceof ServerError) return true;
    throw error;
  }
}

async function filtersBinlog(connection: Connection): Promise<boolean> {
  try {
    return hasFilter(await connection.row('SHOW MASTER STATUS'));
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    // Without the privilege, or on MySQL 8.4 and newer, which lost the statement: assume nothing.
    return true;
  }
}

function hasFilter(status: Row | undefined): boolean {
  return Boolean(status?.Binlog_Do_DB) || Boolean(status?.Binlog_Ignore_DB);
}
