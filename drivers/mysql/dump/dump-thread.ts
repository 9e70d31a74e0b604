import type { BackupThreadContext, BackupThreadModule, Content, ThreadSession } from '../../../core/driver/index.ts';
import type { Connection } from '../protocol/connection.ts';
import { asSourceError } from '../protocol/server-error.ts';
import { openSession } from '../protocol/session.ts';
import { RowCutter } from '../rows/row-cutter.ts';
import { RowsToTsv } from '../rows/row-to-tsv.ts';
import type { ServerAddress } from '../settings.ts';
import type { BinlogPosition } from './consistent-point.ts';

/*
 * The data thread of a dump: one connection with its own snapshot. Rows go from the socket to sealed blobs without
 * leaving the thread.
 */

export const moduleUrl = import.meta.url;

export interface DumpSetup {
  readonly address: ServerAddress;
}

export type DumpTask =
  | { readonly do: 'identify' }
  | { readonly do: 'snapshot' }
  | {
      readonly do: 'rows';
      readonly query: string;
      /** Per column of the query. */
      readonly escaped: readonly boolean[];
      /** For errors: `reading shop.orders`. */
      readonly doing: string;
    };

export type DumpResult = {
  readonly connectionId?: number;
  readonly position?: BinlogPosition;
  readonly rows?: number;
  readonly content?: Content;
};

export const open: BackupThreadModule<DumpSetup, DumpTask, DumpResult>['open'] = ({ address }, context) =>
  new DumpThread(address, context);

class DumpThread implements ThreadSession<DumpTask, DumpResult> {
  readonly #address: ServerAddress;
  /** Made by the first task: a thread that takes no part needs none. */
  #connection: Connection | undefined;
  readonly #cutter: RowCutter;

  constructor(address: ServerAddress, context: BackupThreadContext) {
    this.#address = address;
    this.#cutter = new RowCutter((blob) => {
      const content = context.blob(blob);
      context.progress({ bytes: blob.length });
      return content;
    });
  }

  async run(task: DumpTask): Promise<DumpResult> {
    this.#connection ??= await openSession(this.#address);
    try {
      if (task.do === 'identify') return { connectionId: this.#connection.id };
      if (task.do === 'snapshot') return await this.#snapshot(this.#connection);
      return await this.#rows(this.#connection, task);
    } catch (error) {
      throw asSourceError(error, this.#address.subject, task.do === 'rows' ? task.doing : 'starting the snapshot');
    }
  }

  async #snapshot(connection: Connection): Promise<DumpResult> {
    await connection.execute('ROLLBACK');
    await connection.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    const rows = await connection.rows("SHOW SESSION STATUS LIKE 'binlog_snapshot_%'");
    const value = (name: string) => rows.find((row) => row.Variable_name?.toLowerCase() === name)?.Value ?? '';
    await connection.execute('SAVEPOINT tidemark');
    return {
      position: { file: value('binlog_snapshot_file'), position: Number(value('binlog_snapshot_position')) },
    };
  }

  async #rows(connection: Connection, { query, escaped }: DumpTask & { do: 'rows' }): Promise<DumpResult> {
    this.#cutter.begin();
    const converter = new RowsToTsv(escaped, this.#cutter);
    await connection.stream(query, converter);
    // Lets go of the table, or the next ALTER TABLE would wait for the end of the dump and all others for the ALTER.
    await connection.execute('ROLLBACK TO SAVEPOINT tidemark');
    return { rows: converter.rows, content: this.#cutter.content() };
  }

  close(): void {
    this.#connection?.destroy();
  }
}
