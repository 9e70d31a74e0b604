import type { BackupRequest, BackupSink, DataThreads, RestoreRequest } from '../../core/driver/index.ts';
import type { BackupFiles } from './backup-files.ts';
import type { Connection } from './connection.ts';
import type { DumpResult, DumpTask } from './dump-thread.ts';
import type { Existing } from './existing.ts';
import type { Folder } from './folder.ts';
import type { LoadResult, LoadTask } from './load-thread.ts';
import type { Server } from './server.ts';

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

/** A restore under way. */
export interface Load {
  readonly control: Connection;
  readonly threads: DataThreads<LoadTask, LoadResult>;
  readonly count: number;
  readonly request: RestoreRequest;
  readonly files: BackupFiles;
  readonly subject: string;
  readonly existing: Existing;
}
