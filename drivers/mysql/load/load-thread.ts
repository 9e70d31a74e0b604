import { createHash } from 'node:crypto';
import type { Content, RestoreThreadContext, RestoreThreadModule, ThreadSession } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { type LoadTarget, loadStatement } from '../format/layout.ts';
import type { Connection, ConnectOptions } from '../protocol/connection.ts';
import { loadInfile } from '../protocol/infile.ts';
import { asTargetError, errno, isServerError } from '../protocol/server-error.ts';
import { openSession } from '../protocol/session.ts';
import { setVariables, variablesOfLoad } from '../protocol/session-variables.ts';
import { RowCutter } from '../rows/row-cutter.ts';
import { RowSum } from '../rows/row-sum.ts';
import { RowsToTsv } from '../rows/row-to-tsv.ts';
import type { ServerAddress } from '../settings.ts';
import { type Failure, failureOf } from './failure.ts';
import { insertRows } from './insert-rows.ts';
import { readWarnings } from './row-warnings.ts';
import { type Damage, inspect, wholeRows } from './whole-rows.ts';

/* The data thread of a load: one connection that takes rows straight from the repository. */

export interface LoadSetup {
  readonly address: ServerAddress;
}

export type LoadTask =
  | { readonly do: 'identify' }
  | { readonly do: 'inspect'; readonly content: Content }
  | {
      readonly do: 'load';
      readonly table: LoadTarget & { readonly engine: string };
      readonly content: Content;
      readonly rows: number;
      /** Loads the rows beside it. */
      readonly damage?: Damage;
    }
  | {
      readonly do: 'compare';
      readonly query: string;
      readonly escaped: readonly boolean[];
      readonly content: Content;
      /** Whether the query gives the rows in the order of the file. */
      readonly inOrder: boolean;
      /** For errors: `comparing shop.orders`. */
      readonly doing: string;
    };

export interface LoadResult {
  /** Of this thread's connection; another one after a file that could not be read to its end. */
  readonly connectionId?: number;
  /** Why this table is not whole; nothing of the file was loaded, unless the table keeps no transactions. */
  readonly failure?: Failure;
  /** Of the file that was inspected, or turned out to be damaged. */
  readonly damage?: Damage;
  /** How many rows were loaded of a file with damage. */
  readonly rows?: number;
  /** What the server warned about while loading. */
  readonly warnings?: readonly string[];
  readonly equal?: boolean;
}

export const open: RestoreThreadModule<LoadSetup, LoadTask, LoadResult>['open'] = ({ address }, context) =>
  new LoadThread(address, context);

class LoadThread implements ThreadSession<LoadTask, LoadResult> {
  readonly #address: ServerAddress;
  readonly #context: RestoreThreadContext;
  #connection: Connection | undefined;
  #infileForbidden = false;

  constructor(address: ServerAddress, context: RestoreThreadContext) {
    this.#address = address;
    this.#context = context;
  }

  async run(task: LoadTask): Promise<LoadResult> {
    if (task.do === 'inspect') return { damage: await this.#inspect(task.content) };
    this.#connection ??= await openLoadSession(this.#address, { localInfile: true });
    const connection = this.#connection;
    const table = task.do === 'load' ? task.table : undefined;
    const doing = table === undefined ? 'comparing' : `loading ${table.database}.${table.name}`;
    try {
      return { connectionId: connection.id, ...(await this.#perform(connection, task)) };
    } catch (error) {
      const failure = failureOf(error, table?.engine);
      if (failure === undefined) throw asTargetError(error, this.#address.subject, doing);
      return { failure, ...(await this.#afterFailure(task, failure)) };
    }
  }

  #perform(connection: Connection, task: Exclude<LoadTask, { do: 'inspect' }>): Promise<LoadResult> {
    if (task.do === 'identify') return Promise.resolve({});
    if (task.do === 'compare') return this.#compare(connection, task).then((equal) => ({ equal }));
    return this.#load(connection, task);
  }

  /** The connection may have been closed in the middle of a statement; what of the file is damaged is found out whole. */
  async #afterFailure(task: LoadTask, { why }: Failure): Promise<LoadResult> {
    this.#connection?.destroy();
    this.#connection = await openLoadSession(this.#address, { localInfile: true });
    const damage = task.do === 'load' && why === 'damaged' ? await this.#inspect(task.content) : undefined;
    return { connectionId: this.#connection.id, damage };
  }

  #inspect(content: Content): Promise<Damage | undefined> {
    return inspect(content, (part) => this.#context.read(part));
  }

  async #load(connection: Connection, task: LoadTask & { do: 'load' }): Promise<LoadResult> {
    if (this.#infileForbidden) return this.#insert(connection, task);
    const counted = { rows: 0 };
    try {
      const statement = loadStatement(task.table, 'tidemark');
      const okay = await loadInfile(connection, statement, () => this.#rows(task, counted));
      const warnings = await readWarnings(connection, okay);
      checkRows(task, counted.rows, okay.affectedRows, warnings);
      return { warnings, rows: okay.affectedRows };
    } catch (error) {
      if (!isServerError(error, errno.commandNotAllowed, errno.localInfileOffMysql, errno.localInfileOffMariadb)) {
        throw error;
      }
      this.#infileForbidden = true;
      return this.#insert(connection, task);
    }
  }

  async #insert(connection: Connection, task: LoadTask & { do: 'load' }): Promise<LoadResult> {
    const counted = { rows: 0 };
    await connection.execute('START TRANSACTION');
    const { rows, warnings } = await insertRows(connection, task.table, this.#rows(task, counted));
    await connection.execute('COMMIT');
    checkRows(task, counted.rows, rows, warnings);
    return { warnings, rows };
  }

  async *#rows({ content, damage }: LoadTask & { do: 'load' }, counted: { rows: number }): AsyncGenerator<Uint8Array> {
    const read = (part: Content) => this.#context.read(part);
    for await (const bytes of damage === undefined ? read(content) : wholeRows(content, damage, read, counted)) {
      yield bytes;
      this.#context.progress({ bytes: bytes.length });
    }
  }

  /** Reads the rows back as a dump would, and compares digests: both sides are streams. */
  async #compare(connection: Connection, task: LoadTask & { do: 'compare' }): Promise<boolean> {
    const digest = () => (task.inOrder ? createHash('sha256') : new RowSum());
    const [found, stored] = [digest(), digest()];
    const cutter = new RowCutter((blob) => {
      found.update(blob);
      return { blobs: new Uint8Array(0), sizeBytes: blob.length };
    });
    await connection.stream(task.query, new RowsToTsv(task.escaped, cutter));
    for await (const bytes of this.#context.read(task.content)) stored.update(bytes);
    return found.digest('hex') === stored.digest('hex');
  }

  close(): void {
    this.#connection?.destroy();
  }
}

/** A session that takes rows and definitions as they come, in any order of tables. */
export async function openLoadSession(address: ServerAddress, options: ConnectOptions): Promise<Connection> {
  const connection = await openSession(address, options);
  try {
    await setVariables(connection, variablesOfLoad);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** LOAD DATA LOCAL skips rows that it cannot store, with no more than a warning. */
function checkRows(
  { table: { database, name }, rows, damage }: LoadTask & { do: 'load' },
  whole: number,
  stored: number,
  warnings: readonly string[],
): void {
  const expected = damage === undefined ? rows : whole;
  if (stored === expected) return;
  const why = warnings.length === 0 ? '' : `: ${warnings.join('; ')}`;
  throw new TidemarkError('VERIFY_FAILED', `table ${database}.${name} took ${stored} of ${expected} rows${why}`, {
    hint: 'The target rejects what the source held; look at differences in version, sql_mode and unique keys.',
  });
}
