import type { BackupRequest, BackupSink, DataThreads } from '../../../core/driver/index.ts';
import type { Connection } from '../protocol/connection.ts';
import type { Server } from '../server.ts';
import type { DumpResult, DumpTask } from './dump-thread.ts';
import type { Folder } from './folder.ts';

/** A backup in the making. */
export interface Dump {
  readonly control: Connection;
  readonly server: Server;
  readonly threads: DataThreads<DumpTask, DumpResult>;
  /** How many of the threads take part. */
  readonly count: number;
  readonly request: BackupRequest;
  readonly sink: BackupSink;
  readonly subject: string;
  readonly root: Folder;
}
