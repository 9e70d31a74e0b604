import { createHash } from 'node:crypto';
import type { Content, ThreadContext, ThreadModule, ThreadSession } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { type LoadTarget, loadStatement } from '../format/layout.ts';
import type { Connection } from '../protocol/connection.ts';
import { loadInfile } from '../protocol/infile.ts';
import { asTargetError, errno, isServerError } from '../protocol/server-error.ts';
import { openSession, setIfKnown } from '../protocol/session.ts';
import { RowCutter } from '../rows/row-cutter.ts';
import { RowsToTsv } from '../rows/row-to-tsv.ts';
import type { ServerAddress } from '../settings.ts';
import { insertRows } from './insert-rows.ts';

/* The data thread of a load: one connection that takes rows straight from the repository. */

export const moduleUrl = import.meta.url;

export interface LoadSetup {
  readonly address: ServerAddress;
}

export type LoadTask =
  | { readonly do: 'identify' }
  | { readonly do: 'load'; readonly table: LoadTarget; readonly content: Content; readonly rows: number }
  | {
      readonly do: 'compare';
      readonly query: string;
      readonly escaped: readonly boolean[];
      readonly content: Content;
      /** For errors: `comparing shop.orders`. */
      readonly doing: string;
    };

export interface LoadResult {
  readonly connectionId?: number;
  /** What the server warned about while loading. */
  readonly warnings?: readonly string[];
  readonly equal?: boolean;
}

export const open: ThreadModule<LoadSetup, LoadTask, LoadResult>['open'] = ({ address }, context) =>
  new LoadThread(address, context);

class LoadThread implements ThreadSession<LoadTask, LoadResult> {
  readonly #address: ServerAddress;
  readonly #context: ThreadContext;
  #connection: Connection | undefined;
  #infileForbidden = false;

  constructor(address: ServerAddress, context: ThreadContext) {
    this.#address = address;
    this.#context = context;
  }

  async run(task: LoadTask): Promise<LoadResult> {
    this.#connection ??= await openLoadSession(this.#address, true);
    const doing = task.do === 'load' ? `loading ${task.table.database}.${task.table.name}` : 'comparing';
    try {
      if (task.do === 'identify') return { connectionId: this.#connection.id };
      if (task.do === 'compare') return { equal: await this.#compare(this.#connection, task) };
      return await this.#load(this.#connection, task);
    } catch (error) {
      throw asTargetError(error, this.#address.subject, doing);
    }
  }

  async #load(connection: Connection, { table, content, rows }: LoadTask & { do: 'load' }): Promise<LoadResult> {
    if (this.#infileForbidden) return this.#insert(connection, table, content, rows);
    try {
      const okay = await loadInfile(connection, loadStatement(table, 'tidemark'), () => this.#read(content));
      const warnings = okay.warnings === 0 ? [] : await readWarnings(connection);
      checkRows(table, rows, okay.affectedRows, warnings);
      return { warnings };
    } catch (error) {
      if (!isServerError(error, errno.commandNotAllowed, errno.localInfileOffMysql, errno.localInfileOffMariadb)) {
        throw error;
      }
      this.#infileForbidden = true;
      return this.#insert(connection, table, content, rows);
    }
  }

  async #insert(connection: Connection, table: LoadTarget, content: Content, rows: number): Promise<LoadResult> {
    await connection.execute('START TRANSACTION');
    const inserted = await insertRows(connection, table, this.#read(content));
    await connection.execute('COMMIT');
    checkRows(table, rows, inserted, []);
    return {};
  }

  async *#read(content: Content): AsyncGenerator<Uint8Array> {
    for await (const bytes of this.#context.read(content)) {
      yield bytes;
      this.#context.progress({ bytes: bytes.length });
    }
  }

  /** Reads the rows back as a dump would, and compares digests: both sides are streams. */
  async #compare(connection: Connection, task: LoadTask & { do: 'compare' }): Promise<boolean> {
    const found = createHash('sha256');
    const cutter = new RowCutter((blob) => {
      found.update(blob);
      return { blobs: new Uint8Array(0), sizeBytes: blob.length };
    });
    await connection.stream(task.query, new RowsToTsv(task.escaped, cutter));
    const stored = createHash('sha256');
    for await (const bytes of this.#context.read(task.content)) stored.update(bytes);
    return found.digest('hex') === stored.digest('hex');
  }

  close(): void {
    this.#connection?.destroy();
  }
}

/**
 * A session that takes rows and definitions as they come, in any order of tables. `unique_checks` stays on: without it
 * MariaDB 10.11 loads an empty table in a bulk mode that locks it for one connection, and that took longer for rows in
 * key order.
 */
export async function openLoadSession(address: ServerAddress, localInfile: boolean): Promise<Connection> {
  const connection = await openSession(address, { localInfile });
  await connection.execute('SET SESSION foreign_key_checks = 0');
  await setIfKnown(connection, 'check_constraint_checks', '0');
  return connection;
}

async function readWarnings(connection: Connection): Promise<string[]> {
  return (await connection.rows('SHOW WARNINGS LIMIT 3')).map((row) => row.Message ?? '');
}

/** LOAD DATA LOCAL skips rows that it cannot store, with no more than a warning. */
function checkRows(table: LoadTarget, expected: number, stored: number, warnings: readonly string[]): void {
  if (stored === expected) return;
  const name = `${table.database}.${table.name}`;
  const why = warnings.length === 0 ? '' : `: ${warnings.join('; ')}`;
  throw new TidemarkError('VERIFY_FAILED', `table ${name} took ${stored} of ${expected} rows${why}`, {
    hint: 'The target rejects what the source held; look at differences in version, sql_mode and unique keys.',
  });
}
