import { connect as createSocket, type Socket } from 'node:net';
import mysql from 'mysql2';
import type { ServerAddress } from '../settings.ts';
import type { Okay } from './packets.ts';
import { ResultSet } from './result-set.ts';
import { type Exchange, Wire } from './wire.ts';

/** A row of a small result, values as UTF-8 text. */
export type Row = Readonly<Record<string, string | null>>;

export interface ConnectOptions {
  /** Offers LOAD DATA LOCAL. Only what the loader streams is ever sent, whatever file the server names. */
  readonly localInfile?: boolean;
  readonly connectTimeoutMs?: number;
}

/** One logged-in connection. One statement at a time. Closing twice is harmless. */
export class Connection implements AsyncDisposable {
  readonly id: number;
  readonly wire: Wire;
  readonly #login: mysql.Connection;

  constructor(login: mysql.Connection, stream: ConstructorParameters<typeof Wire>[0]) {
    this.#login = login;
    this.id = login.threadId ?? 0;
    this.wire = new Wire(stream);
  }

  /** Runs a statement that gives no rows, or whose rows are of no interest. */
  async execute(statement: string | Uint8Array): Promise<Okay | undefined> {
    return (await this.#result(statement)).okay;
  }

  async rows(statement: string): Promise<Row[]> {
    const { columns, rows } = await this.#result(statement);
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]?.toString('utf8') ?? null])));
  }

  /** The first row, or undefined. */
  async row(statement: string): Promise<Row | undefined> {
    return (await this.rows(statement))[0];
  }

  /** Rows as the server's own bytes, keyed by column: for definitions that keep the character set they were written in. */
  async bytes(statement: string): Promise<Record<string, Buffer | null>[]> {
    const { columns, rows } = await this.#result(statement);
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
  }

  stream(statement: string | Uint8Array, exchange: Exchange): Promise<void> {
    return this.wire.run(Buffer.from(statement), exchange);
  }

  async #result(statement: string | Uint8Array): Promise<ResultSet> {
    const result = new ResultSet();
    await this.stream(statement, result);
    return result;
  }

  /** Closes at once, in the middle of a statement too; the server ends it when it notices. */
  destroy(): void {
    this.#login.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
  }
}

/** Logs in. Rejects with the foreign error; callers translate it. */
export async function connect(address: ServerAddress, options: ConnectOptions = {}): Promise<Connection> {
  const reading = { keepsChunks: true };
  const stream = address.tls === undefined ? () => openSocket(address, reading) : undefined;
  const login = mysql.createConnection({ ...loginOptions(address, options), stream });
  await new Promise<void>((resolve, reject) => {
    login.once('connect', () => resolve());
    login.once('error', reject);
  });
  login.on('error', ignoreLateError);
  reading.keepsChunks = false;
  return new Connection(login, (login as unknown as { stream: ConstructorParameters<typeof Wire>[0] }).stream);
}

/**
 * A socket that reads into one buffer again and again: a new buffer for every read cost a seventh of a dump's time in
 * garbage collection. `Wire` is done with a chunk when it returns; mysql2, during the login, keeps parts of it.
 */
function openSocket({ host, port, socketPath }: ServerAddress, reading: { readonly keepsChunks: boolean }): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const take = (length: number): boolean => {
    const chunk = buffer.subarray(0, length);
    socket.emit('data', reading.keepsChunks ? Buffer.from(chunk) : chunk);
    return true;
  };
  const place = socketPath === undefined ? { host, port: port ?? 3306 } : { path: socketPath };
  const socket: Socket = createSocket({ ...place, onread: { buffer, callback: take } });
  if (socketPath === undefined) socket.setNoDelay(true).setKeepAlive(true);
  return socket;
}

const readBytes = 256 * 1024;

function loginOptions(address: ServerAddress, options: ConnectOptions): mysql.ConnectionOptions {
  const { tls } = address;
  return {
    host: address.host,
    port: address.port,
    socketPath: address.socketPath,
    user: address.user,
    password: address.password,
    ssl: tls && { ca: tls.ca, cert: tls.cert, key: tls.key, ...verification(tls) },
    connectTimeout: options.connectTimeoutMs ?? 10_000,
    flags: [options.localInfile === true ? 'LOCAL_FILES' : '-LOCAL_FILES', ...flagsOfWire],
    enableKeepAlive: true,
  };
}

/** What a login would agree on and `Wire` and its exchanges do not speak. */
const flagsOfWire = ['-MULTI_STATEMENTS', '-DEPRECATE_EOF', '-CLIENT_QUERY_ATTRIBUTES'];

function verification({ rejectUnauthorized, verifyIdentity }: NonNullable<ServerAddress['tls']>) {
  return { rejectUnauthorized, verifyIdentity };
}

/** Errors after the login reach the exchange in flight through the stream; without a listener they would be thrown. */
function ignoreLateError(): void {}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A literal of exactly these bytes, safe under every sql_mode. */
export function quoteText(text: string): string {
  return text === '' ? "''" : `X'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

export function qualifiedName(database: string, name: string): string {
  return `${quoteName(database)}.${quoteName(name)}`;
}
