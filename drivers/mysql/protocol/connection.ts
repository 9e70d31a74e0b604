import { connect as createSocket, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import mysql from 'mysql2';
import { unlessAborted } from '../../../core/abort.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { ServerAddress } from '../settings.ts';
import type { Okay } from './packets.ts';
import { ResultSet } from './result-set.ts';
import { command, type Exchange, Wire } from './wire.ts';

/** A row of a small result, values as UTF-8 text. */
export type Row = Readonly<Record<string, string | null>>;

export interface ConnectOptions {
  /** Offers LOAD DATA LOCAL. Only what the loader streams is ever sent, whatever file the server names. */
  readonly localInfile?: boolean;
  /**
   * Ends the connection at any time of its life, whatever the server does or does not: what waits for an answer rejects
   * with the signal's reason. A data thread needs none: it is ended with its sockets.
   */
  readonly signal?: AbortSignal;
  /** For the whole login, from the first packet to the last. Statements may take as long as they like. */
  readonly loginTimeoutMs?: number;
}

/** One logged-in connection. One statement at a time. Closing twice is harmless. */
export class Connection implements AsyncDisposable {
  readonly id: number;
  readonly wire: Wire;
  #packetLimitBytes: number | undefined;

  constructor(id: number, stream: Duplex, signal?: AbortSignal) {
    this.id = id;
    this.wire = new Wire(stream);
    const abort = () => this.wire.end(signal?.reason);
    stream.once('close', () => signal?.removeEventListener('abort', abort));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
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
    return this.wire.run(command.query, Buffer.from(statement), exchange);
  }

  /** Makes the session as it is right after the login, before `init_connect`. Old servers answer that they do not know how. */
  async reset(): Promise<void> {
    await this.wire.run(command.reset, Buffer.alloc(0), new ResultSet());
  }

  /** The largest packet that the server takes; one that is larger ends the connection. */
  async packetLimitBytes(): Promise<number> {
    if (this.#packetLimitBytes === undefined) {
      const row = await this.row('SELECT @@SESSION.max_allowed_packet AS bytes');
      this.#packetLimitBytes = Number(row?.bytes ?? 1024);
    }
    return this.#packetLimitBytes;
  }

  async #result(statement: string | Uint8Array): Promise<ResultSet> {
    const result = new ResultSet();
    await this.stream(statement, result);
    return result;
  }

  /** Closes at once, in the middle of a statement too; the server ends it when it notices. */
  destroy(): void {
    this.wire.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
  }
}

/** Logs in. Rejects with the foreign error, which callers translate, or with the reason of the signal. */
export async function connect(address: ServerAddress, options: ConnectOptions = {}): Promise<Connection> {
  options.signal?.throwIfAborted();
  const reading = { keepsChunks: true };
  const socket = openSocket(address, reading);
  const login = mysql.createConnection({ ...loginOptions(address, options), stream: () => socket });
  login.on('error', ignoreLateError);
  try {
    await unlessAborted(loggedIn(login), options.signal);
    reading.keepsChunks = false;
    return new Connection(login.threadId ?? 0, streamOf(login), options.signal);
  } catch (error) {
    login.destroy(); // only says goodbye, to a server that may not listen
    socket.destroy();
    throw error;
  }
}

function loggedIn(login: mysql.Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    login.once('connect', () => resolve());
    login.once('error', reject);
  });
}

/** A private field of mysql2, which has no public one: the socket, or the TLS above it. */
function streamOf(login: mysql.Connection): Duplex {
  const { stream } = login as unknown as { stream?: Partial<Duplex> };
  if (typeof stream?.write === 'function' && typeof stream.destroy === 'function') return stream as Duplex;
  throw new TidemarkError('BUG', 'this version of mysql2 keeps its stream elsewhere', {
    hint: 'Install the version of mysql2 that `package-lock.json` names.',
  });
}

/**
 * A socket that reads into one buffer again and again: a new buffer for every read cost a seventh of a dump's time in
 * garbage collection. `Wire` is done with a chunk when it returns; mysql2, during the login, keeps parts of it, and so
 * does TLS.
 */
function openSocket(address: ServerAddress, reading: { readonly keepsChunks: boolean }): Socket {
  const { host, port, socketPath, tls } = address;
  const place = socketPath === undefined ? { host, port: port ?? 3306 } : { path: socketPath };
  const buffer = Buffer.allocUnsafeSlow(tls === undefined ? readBytes : 0);
  const take = (length: number): boolean => {
    const chunk = buffer.subarray(0, length);
    socket.emit('data', reading.keepsChunks ? Buffer.from(chunk) : chunk);
    return true;
  };
  const socket: Socket = createSocket(tls === undefined ? { ...place, onread: { buffer, callback: take } } : place);
  if (socketPath === undefined) socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
  return socket;
}

const readBytes = 256 * 1024;

/** A host that has vanished without a word is noticed after this and ten more seconds; the system's own wait is hours. */
const keepAliveMs = 60_000;

function loginOptions(address: ServerAddress, options: ConnectOptions): mysql.ConnectionOptions {
  const { tls } = address;
  return {
    host: address.host,
    port: address.port,
    socketPath: address.socketPath,
    user: address.user,
    password: address.password,
    ssl: tls && { ca: tls.ca, cert: tls.cert, key: tls.key, ...verification(tls) },
    connectTimeout: options.loginTimeoutMs ?? loginTimeoutMs,
    flags: [options.localInfile === true ? 'LOCAL_FILES' : '-LOCAL_FILES', ...flagsOfWire],
  };
}

/** A server that looks up the names of its clients in vain takes its time. */
export const loginTimeoutMs = 30_000;

/** What a login would agree on and `Wire` and its exchanges do not speak. */
const flagsOfWire = ['-MULTI_STATEMENTS', '-DEPRECATE_EOF', '-CLIENT_QUERY_ATTRIBUTES'];

function verification({ rejectUnauthorized, verifyIdentity }: NonNullable<ServerAddress['tls']>) {
  return { rejectUnauthorized, verifyIdentity };
}

/** What happens after the login, or after it was given up, is known from the stream; without a listener it would be thrown. */
function ignoreLateError(): void {}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A literal of exactly these bytes, safe under every sql_mode. */
export function quoteText(text: string): string {
  return text === '' ? "''" : `X'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

/**
 * A condition that is true of this name alone. `information_schema` compares without case what has case; where the server
 * itself does not tell names apart by case, it may print one in two ways.
 */
export function isNamed(column: string, name: string): string {
  const text = quoteText(name);
  return `${column} = ${text} AND (@@lower_case_table_names > 0 OR CAST(${column} AS BINARY) = ${text})`;
}

export function qualifiedName(database: string, name: string): string {
  return `${quoteName(database)}.${quoteName(name)}`;
}
