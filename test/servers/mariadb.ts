import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2/promise';
import { freePort } from '../kit/port.ts';
import { type Running, runOk, start, waitFor } from '../kit/process.ts';
import type { Owner } from '../kit/scope.ts';
import { tempFolder } from '../kit/temp.ts';

export interface MariadbServer {
  /** `root` logs in here without a password. */
  readonly socket: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** May do everything, logs in by socket and by port with `password`. */
  readonly user: 'tidemark';
  readonly password: string;
  readonly folder: string;
  /** A connection of root, or of whom `options` say, closed by the caller. */
  connect(options?: ConnectionOptions): Promise<Connection>;
  /** Runs statements, separated by `;`, as root, and gives the rows of the last. */
  query(sql: string, database?: string): Promise<RowDataPacket[]>;
  /** Ends the server, in order by SIGTERM (when not told else), and waits until it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data, socket and port. */
  start(): Promise<void>;
}

export interface MariadbOptions {
  /** Further options of the server such as `--log-bin`; the last of one name counts. */
  readonly args?: readonly string[];
  /** Where its data is or shall be, and stays; a temporary folder when not given. */
  readonly folder?: string;
}

/** A MariaDB of this test alone, gone with the test. Its folder with data and log stays, and is named, when the test fails. */
export async function startMariadb(t: Owner, options: MariadbOptions = {}): Promise<MariadbServer> {
  const { folder = await tempFolder(t), args = [] } = options;
  if (!existsSync(join(folder, 'data'))) {
    await runOk('cp', ['-a', '--reflink=auto', await templateFolder(), join(folder, 'data')]);
  }
  const port = await freePort();
  const socket = join(folder, 's.sock');
  const server = { socket, host: '127.0.0.1', port, user: 'tidemark', password: 'tide:mark "1"', folder } as const;
  await writeFile(join(folder, 'init.sql'), usersSql(server.password));

  const connect = (options: ConnectionOptions = {}) =>
    mysql.createConnection({ socketPath: socket, user: 'root', multipleStatements: true, ...options });
  const launch = () => launchServer(t, folder, [`--port=${port}`, ...args], connect);
  let running = await launch();
  return {
    ...server,
    connect,
    query: (sql, database) => queryOnce(connect, sql, database),
    stop: (signal = 'SIGTERM') => running.end(signal),
    start: async () => {
      running = await launch();
    },
  };
}

/** A MariaDB that applies what `primary` (with `--log-bin` and an own `--server-id`) logs from now on. */
export async function startReplica(
  t: Owner,
  primary: MariadbServer,
  options: MariadbOptions = {},
): Promise<MariadbServer> {
  const replica = await startMariadb(t, options);
  const { host, port, user, password } = primary;
  const [at] = await primary.query('SELECT @@gtid_binlog_pos AS gtid');
  await replica.query(`SET GLOBAL gtid_slave_pos = '${at!.gtid}';
    CHANGE MASTER TO master_host = '${host}', master_port = ${port}, master_user = '${user}', master_password = '${password}',
      master_use_gtid = slave_pos;
    START SLAVE`);
  return replica;
}

const installArgs = [
  '--no-defaults',
  `--user=${userInfo().username}`,
  '--auth-root-authentication-method=normal',
  '--skip-test-db',
  '--innodb-log-file-size=16M',
];

/** The data folder of a new server, made once per version of server and options, then copied. */
async function templateFolder(): Promise<string> {
  const version = (await runOk('mariadbd', ['--no-defaults', '--version'])).stdout;
  const name = createHash('sha256').update(`${version}${installArgs}`).digest('hex').slice(0, 16);
  const parent = join(tmpdir(), 'tidemark-test-mariadb');
  const template = join(parent, name);
  if (existsSync(template)) return template;
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, 'draft-'));
  await runOk('mariadb-install-db', [...installArgs, `--datadir=${draft}`]);
  await rename(draft, template).catch(() => rm(draft, { recursive: true })); // another test was faster
  return template;
}

/** An init file holds one statement per line. */
function usersSql(password: string): string {
  const users = ['localhost', '127.0.0.1'].map((host) => `tidemark@'${host}'`);
  const statements = users.flatMap((user) => [
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO ${user} WITH GRANT OPTION`,
  ]);
  return ['SET sql_log_bin = 0', ...statements, ''].join(';\n');
}

async function launchServer(
  t: Owner,
  folder: string,
  args: readonly string[],
  connect: () => Promise<Connection>,
): Promise<Running> {
  const logFile = join(folder, 'server.log');
  const running = await start(t, 'mariadbd', [...serverArgs(folder), ...args], { logFile });
  let ended = false;
  running.ended.then(() => {
    ended = true;
  });
  await waitFor('the MariaDB server', async () => ended || (await connect()).end().then(() => true));
  if (ended) throw new Error(`the MariaDB server did not start:\n${await readFile(logFile, 'utf8')}`);
  return running;
}

function serverArgs(folder: string): string[] {
  return [
    '--no-defaults',
    `--user=${userInfo().username}`,
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 's.sock')}`,
    `--tmpdir=${folder}`, // a server that starts deletes the temporary tables of all others in a shared one
    `--pid-file=${join(folder, 'server.pid')}`,
    `--init-file=${join(folder, 'init.sql')}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--innodb-buffer-pool-size=128M',
    '--innodb-log-file-size=16M',
    '--innodb-flush-log-at-trx-commit=0',
  ];
}

async function queryOnce(connect: MariadbServer['connect'], sql: string, database: string | undefined) {
  const connection = await connect({ database });
  try {
    const [result] = await connection.query<RowDataPacket[] | RowDataPacket[][]>(sql);
    return lastRows(result);
  } finally {
    await connection.end();
  }
}

function lastRows(result: RowDataPacket[] | RowDataPacket[][]): RowDataPacket[] {
  const last = Array.isArray(result) ? result.at(-1) : undefined;
  return Array.isArray(last) ? last : (result as RowDataPacket[]);
}
