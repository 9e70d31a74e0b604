import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import mysql, { type Connection, type ConnectionOptions } from 'mysql2/promise';
import { freePort } from '../../kit/port.ts';
import { runOk, start, waitFor } from '../../kit/process.ts';
import type { Owner } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';

/** What is known of a kind of server that `fetch.sh` brings. */
export interface ServerKind {
  readonly name: string;
  readonly command: string;
  /** Below the folder of the server. */
  readonly shareFolder: string;
  readonly env?: Record<string, string>;
  readonly args: readonly string[];
  readonly makeData: (kind: ServerKind, data: string) => Promise<unknown>;
  readonly users: readonly string[];
}

export interface MatrixServer {
  readonly socket: string;
  readonly port: number;
  readonly user: 'tidemark';
  readonly password: string;
  connect(options?: ConnectionOptions): Promise<Connection>;
}

const password = 'tide:mark';
const fetched = process.env.TIDEMARK_SERVERS ?? join(tmpdir(), 'tidemark-test-servers');
const grantAll = ['localhost', '127.0.0.1'].flatMap((host) => [
  `CREATE USER tidemark@'${host}' IDENTIFIED BY '${password}'`,
  `GRANT ALL ON *.* TO tidemark@'${host}' WITH GRANT OPTION`,
]);

export const mysql97: ServerKind = {
  name: 'mysql-9.7',
  command: 'run/mysqld',
  shareFolder: 'usr/share/mysql',
  args: ['--secure-file-priv=NULL', '--mysqlx=OFF', '--log-bin', '--server-id=97'],
  makeData: (kind, data) => runOk(commandOf(kind), [...baseArgs(kind, data), '--initialize-insecure']),
  users: grantAll,
};

/** Of 2015: it speaks TLS 1.0 only, which Node refuses, so its connections here are plain. */
export const mysql56: ServerKind = {
  name: 'mysql-5.6',
  command: 'package/server/mysqld',
  shareFolder: 'package/server/share',
  env: { LD_LIBRARY_PATH: join(fetched, 'mysql-5.6/package/server') },
  args: ['--log-bin', '--server-id=56'],
  makeData: async (kind, data) => {
    await cp(join(folderOf(kind), 'package/server/data/mysql'), data, { recursive: true });
    await rm(join(data, 'auto.cnf'), { force: true }); // its identity
  },
  users: ["DELETE FROM mysql.user WHERE user = ''", 'FLUSH PRIVILEGES', ...grantAll],
};

export const mariadb118: ServerKind = {
  name: 'mariadb-11.8',
  command: 'run/mariadbd',
  shareFolder: 'usr/share/mariadb',
  args: ['--log-bin', '--server-id=118', '--event-scheduler=ON'],
  makeData: bootstrapMariadb,
  users: grantAll,
};

/** Starts a new server of this kind for one test. */
export async function startServer(t: Owner, kind: ServerKind, args: readonly string[] = []): Promise<MatrixServer> {
  if (!existsSync(commandOf(kind))) {
    throw new Error(`${kind.name} is not in ${fetched}: \`npm run test:servers\` fetches it there`);
  }
  const folder = await tempFolder(t);
  const data = join(folder, 'data');
  await kind.makeData(kind, data);
  const port = await freePort();
  const socket = join(folder, 's.sock');
  const logFile = join(folder, 'server.log');
  const own = [`--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`, `--tmpdir=${folder}`, `--port=${port}`];
  const all = [...baseArgs(kind, data), ...own, ...commonArgs, ...kind.args, ...args];
  const running = await start(t, commandOf(kind), all, { logFile, env: kind.env });
  const connect = (options: ConnectionOptions = {}) =>
    mysql.createConnection({ socketPath: socket, user: 'root', multipleStatements: true, ...options });
  let ended = false;
  running.ended.then(() => {
    ended = true;
  });
  await waitFor(kind.name, async () => ended || (await connect()).end().then(() => true), { timeoutMs: 60_000 });
  if (ended) throw new Error(`${kind.name} did not start:\n${await readFile(logFile, 'utf8')}`);
  const root = await connect();
  for (const statement of kind.users) await root.query(statement);
  await root.end();
  return { socket, port, user: 'tidemark', password, connect };
}

const commonArgs = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--local-infile=1',
  '--innodb-buffer-pool-size=64M',
  '--innodb-flush-log-at-trx-commit=0',
];

function baseArgs(kind: ServerKind, data: string): string[] {
  const share = join(folderOf(kind), kind.shareFolder);
  const base = join(share, kind.shareFolder.endsWith('server/share') ? '..' : '../..');
  return [
    '--no-defaults',
    `--user=${userInfo().username}`,
    `--datadir=${data}`,
    `--basedir=${base}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
  ];
}

function folderOf(kind: ServerKind): string {
  return join(fetched, kind.name);
}

function commandOf(kind: ServerKind): string {
  return join(folderOf(kind), kind.command);
}

/** What `mariadb-install-db` does, which looks for programs where a package has installed them. */
async function bootstrapMariadb(kind: ServerKind, data: string): Promise<void> {
  await mkdir(join(data, 'mysql'), { recursive: true });
  const share = join(folderOf(kind), kind.shareFolder);
  const scripts = ['system_tables', 'performance_tables', 'system_tables_data'];
  const texts = await Promise.all(scripts.map((name) => readFile(join(share, `mariadb_${name}.sql`), 'utf8')));
  const lines = texts.join('\n').split('\n');
  const input = [
    'USE mysql;',
    'SET @auth_root_socket = NULL, @skip_auth_anonymous = 1;',
    ...lines.filter((line) => !line.includes('@current_hostname')),
  ].join('\n');
  await runOk(commandOf(kind), [...baseArgs(kind, data), '--bootstrap', '--log-warnings=0'], { input });
}
