import type { Column } from '../rows/column.ts';

/** What the manifest says of each thing in a logical backup (`contents`); restore works from these entries alone. */
export type Entry = ServerEntry | DatabaseFacts | TableFacts | ObjectFacts;

export interface ServerEntry {
  readonly kind: 'server';
  /** Classes of objects that this kind of backup does not carry. */
  readonly notCarried: readonly string[];
  /** Whether all rows are of the backup's moment; see `TableFacts.later` and the manifest's warnings. */
  readonly consistency: Consistency;
}

/** The rule that a backup followed, with the kinds of tables that are of other moments. */
export type Consistency = 'one moment' | `one moment, but for ${string}`;

export interface DatabaseFacts {
  readonly kind: 'database';
  readonly database: string;
  /** Its default; absent in backups of before this was stored. */
  readonly collation?: string;
  readonly path: string;
}

export interface TableFacts {
  readonly kind: 'table';
  readonly database: string;
  readonly name: string;
  readonly engine: string;
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly Column[];
  /** The columns in whose order the rows are; empty when they are in no order. */
  readonly key: readonly string[];
  /** Folder of `schema.sql`, `triggers.sql` and the files of rows. */
  readonly path: string;
  readonly hasTriggers: boolean;
  readonly files: readonly RowFile[];
  /** The moment that its rows are of (UTC, ISO 8601), where that is not the backup's: it changed while it was read. */
  readonly later?: string;
}

export interface RowFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Which rows, as a condition of SQL; absent where there is one file. */
  readonly condition?: string;
}

export const objectKinds = ['view', 'sequence', 'function', 'procedure', 'package', 'package body', 'event'] as const;

export interface ObjectFacts {
  readonly kind: (typeof objectKinds)[number];
  readonly database: string;
  readonly name: string;
  readonly path: string;
}

/** Of a kind that this version does not know: all that it can do is to name it. */
export interface UnknownFacts {
  readonly kind: string;
  readonly database?: string;
  readonly name?: string;
}

/** The source's schema says the same to who reads the documentation. */
export const notCarried: readonly string[] = [
  'accounts, roles and grants',
  'system databases',
  'server variables, plugins and loadable functions',
  'libraries of MySQL 9 (named one by one, the backup is partial)',
  'history of system-versioned tables',
  'types of values within JSON of MySQL that its text does not tell (decimals of more digits than a double holds become doubles; DATE, TIME, DATETIME and binary values become strings; restore --verify names tables whose numbers changed)',
];
