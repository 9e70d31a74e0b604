import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { systemClock } from '../clock.ts';
import { kysely } from './kysely.ts';
import { isBusy, translateSqliteError } from './sqlite-error.ts';

/** Kysely on `node:sqlite`. Every transaction takes the write lock at its start, so that none fails half-way for it. */
export function sqliteDialect(database: DatabaseSync, patience: Patience): Dialect {
  return {
    createAdapter: () => new kysely.SqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(database, patience),
    createIntrospector: (db) => new kysely.SqliteIntrospector(db),
    createQueryCompiler: () => new kysely.SqliteQueryCompiler(),
  };
}

/** Much longer than a process of ours has the lock. */
const closesWithinMs = 1_000;

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: DatabaseConnection;
  readonly #closing = new AbortController();
  /** The tail of the queue for the one connection. */
  #idle: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(database: DatabaseSync, patience: Patience) {
    this.#database = database;
    this.#connection = new NodeSqliteConnection(database, { ...patience, over: this.#closing.signal });
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#idle;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = promise;
    await before;
    this.#release = resolve;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(kysely.CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(kysely.CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await connection.executeQuery(kysely.CompiledQuery.raw('rollback'));
  }

  /**
   * Waits for the verb that is under way, but not for long where another process has the lock: whoever closes has given up
   * what waits for it, and may be killed before it is free.
   */
  async destroy(): Promise<void> {
    const patience = setTimeout(() => this.#closing.abort(), closesWithinMs);
    await this.acquireConnection();
    clearTimeout(patience);
    if (this.#database.isOpen) this.#database.close();
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #patience: Patience;

  constructor(database: DatabaseSync, patience: Patience) {
    this.#database = database;
    this.#patience = patience;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    return retryWhileBusy(this.#patience, () => {
      const statement = this.#database.prepare(sql);
      const values = parameters as readonly SQLInputValue[];
      if (statement.columns().length > 0) return { rows: statement.all(...values) as Row[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    });
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for it, the catalog never streams.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('the catalog does not stream');
  }
}

/** How long to wait for the catalog at `path` while another process has it locked. */
export interface Patience {
  readonly path: string;
  readonly busyTimeoutMs: number;
  /** Nobody waits any longer once it fires. */
  readonly over?: AbortSignal;
}

/**
 * Waits for another process's write lock without blocking this one's event loop, which SQLite's own busy timeout would
 * do: it may be us who hold the lock, through another open catalog. Waits in real time whatever clock a test injects,
 * because the other process does too. Throws CATALOG_BUSY.
 */
export async function retryWhileBusy<T>({ path, busyTimeoutMs, over }: Patience, attempt: () => T): Promise<T> {
  const startMs = systemClock.monotonicMs();
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 25)) {
    try {
      return attempt();
    } catch (thrown) {
      const expired = systemClock.monotonicMs() - startMs > busyTimeoutMs;
      if (!isBusy(thrown) || expired || over?.aborted) throw translateSqliteError(thrown, path);
    }
    await systemClock.sleep(waitMs * (0.5 + Math.random()));
  }
}
