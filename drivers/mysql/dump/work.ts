import type { Clock } from '../../../core/clock.ts';
import type { BackupRequest, BackupSink, DataThreads } from '../../../core/driver/index.ts';
import type { Dictionary, Spaces } from '../inventory/census.ts';
import type { Grants } from '../inventory/grants.ts';
import type { TableEntry } from '../inventory/inventory.ts';
import type { Missable } from '../inventory/privileges.ts';
import type { Selection } from '../inventory/selection.ts';
import type { Connection } from '../protocol/connection.ts';
import type { Server } from '../server.ts';
import type { ServerAddress } from '../settings.ts';
import type { DumpResult, DumpTask } from './dump-thread.ts';
import type { Folder } from './folder.ts';

/** A backup in the making. */
export interface Dump {
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly control: Connection;
  readonly server: Server;
  /** Absent where the account may not read it, and the user has said so. */
  readonly dictionary: Dictionary | undefined;
  /** What may be missing because the account may not see it. */
  readonly allows: ReadonlySet<Missable>;
  readonly grants: Grants;
  readonly threads: DataThreads<DumpTask, DumpResult>;
  /** How many of the threads take part. */
  readonly count: number;
  readonly request: BackupRequest;
  readonly selection: Selection;
  readonly sink: BackupSink;
  readonly subject: string;
  readonly root: Folder;
}

export function mayRead({ grants }: Dump, { database, name }: TableEntry): boolean {
  return grants.may('SELECT', database, name);
}

/** A table that is not in the backup, so far. */
export interface Unread {
  readonly database: string;
  readonly name: string;
  readonly spaces: Spaces;
  /** `changed`: looking again may help. */
  readonly state: 'changed' | 'unreadable';
  readonly why: string;
}
