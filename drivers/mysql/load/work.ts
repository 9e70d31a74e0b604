import type { DataThreads, RestoreRequest } from '../../../core/driver/index.ts';
import type { Connection } from '../protocol/connection.ts';
import type { BackupFiles } from './backup-files.ts';
import type { OtherCollations } from './code-collation.ts';
import type { Existing } from './existing.ts';
import type { Lacks } from './lacks.ts';
import type { LoadLedger } from './ledger.ts';
import type { LoadResult, LoadTask } from './load-thread.ts';

/** A restore under way. */
export interface Load {
  readonly control: Connection;
  readonly threads: DataThreads<LoadTask, LoadResult>;
  readonly count: number;
  readonly request: RestoreRequest;
  readonly files: BackupFiles;
  readonly subject: string;
  readonly existing: Existing;
  readonly collations: OtherCollations;
  /** Such a table does not replace what is there: the server will refuse it. */
  readonly lacks: Lacks;
  readonly ledger: LoadLedger;
  /** Those of the threads, kept current: what a cancel has to end. */
  readonly connectionIds: Map<number, number>;
}
