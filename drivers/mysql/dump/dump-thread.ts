import type { BackupThreadContext, BackupThreadModule, ThreadSession } from '../../../core/driver/index.ts';
import type { Dictionary } from '../inventory/census.ts';
import type { Connection } from '../protocol/connection.ts';
import { asSourceError } from '../protocol/server-error.ts';
import { openSession, waitPatiently } from '../protocol/session.ts';
import { RowCutter } from '../rows/row-cutter.ts';
import type { ServerAddress } from '../settings.ts';
import type { SnapshotPlace } from './consistent-point.ts';
import { holdTables, letGoAtSavepoints } from './hold.ts';
import { beginSnapshot } from './own-snapshot.ts';
import { nameOf, type ReadOutcome, readTables, type TableRead } from './table-read.ts';

/*
 * The data thread of a dump: one connection with its own snapshot. Rows go from the socket to sealed blobs without
 * leaving the thread.
 */

export interface DumpSetup {
  readonly address: ServerAddress;
}

export type DumpTask =
  | { readonly do: 'identify' }
  | { readonly do: 'snapshot'; readonly replica: boolean }
  /** Quoted names. */
  | { readonly do: 'hold'; readonly tables: readonly string[]; readonly anew: boolean }
  | { readonly do: 'letGo' }
  /** Small tables are read several at a time: what proves them whole is asked once for all. */
  | { readonly do: 'read'; readonly reads: readonly TableRead[]; readonly dictionary: Dictionary | undefined };

export type DumpResult = {
  readonly connectionId?: number;
  readonly place?: SnapshotPlace;
  readonly held?: readonly string[];
  /** One per read, in their order. */
  readonly outcomes?: readonly ReadOutcome[];
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
    const connection = this.#connection;
    try {
      return await this.#do(connection, task);
    } catch (error) {
      throw asSourceError(error, this.#address.subject, doingOf(task));
    }
  }

  async #do(connection: Connection, task: DumpTask): Promise<DumpResult> {
    switch (task.do) {
      case 'identify':
        await letGoAtSavepoints(connection);
        await connection.execute(waitPatiently);
        return { connectionId: connection.id };
      case 'snapshot':
        return { place: await beginSnapshot(connection, task.replica) };
      case 'hold':
        return { held: await holdTables(connection, task.tables, task.anew) };
      case 'letGo':
        await connection.execute('ROLLBACK');
        return {};
      case 'read':
        return { outcomes: await readTables(connection, this.#cutter, task.reads, task.dictionary) };
    }
  }

  close(): void {
    this.#connection?.destroy();
  }
}

function doingOf(task: DumpTask): string {
  if (task.do === 'read') return `reading ${nameOf(task.reads[0]!)}`;
  if (task.do === 'hold') return `holding ${task.tables.slice(0, 5).join(', ')}`;
  return 'starting the snapshot';
}
