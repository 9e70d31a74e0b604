import { TidemarkError } from '../error.ts';
import type { BackupRecord } from './catalog.ts';
import type { Tables } from './tables.ts';

/** An address is a collection, a dot and a name. */
const name = 64;
const address = 80;
/** A host's name, also as the source of what restic backed up there. */
const host = 255;
/** A host, a process, its namespace, its start and eight digits. */
const owner = 320;

/**
 * How many characters a column holds; those that are not here hold any text. SQLite does not care. MySQL does, and its
 * keys end at 3072 bytes, 4 a character: `migrations.ts` makes its columns by this table, and whoever writes a row checks
 * it first, so that a text too long is an error that says so on every database.
 */
export const columnLengths = {
  state: { lineage: 64 },
  resource: { address, collection: 32, name },
  backup: { destination: name, snapshot: 64, id: 64, plan: name, source: host, driver: 64, type: 32 },
  job: {
    id: 26,
    kind: 32,
    state: 16,
    trigger: 16,
    source: host,
    plan: name,
    destination: name,
    leaseOwner: owner,
    waiterOwner: owner,
  },
  plan_status: { plan: name },
  check_status: { destination: name },
  destination_status: { destination: name },
  event: { id: 26, kind: 64, level: 16, subject: host },
  daemon: { owner, host, version: 64 },
} as const satisfies { readonly [Table in keyof Tables]: { readonly [Column in keyof Tables[Table]]?: number } };

/** Gives the row back. Throws UNSUPPORTED for a text that the catalog cannot hold. */
export function fitting<Table extends keyof Tables, Row extends object>(table: Table, row: Row): Row {
  for (const [column, most] of Object.entries<number>(columnLengths[table])) {
    const text = row[column as keyof Row];
    if (typeof text === 'string' && text.length > most) throw tooLong(table, column, text, most);
  }
  return row;
}

/** Throws UNSUPPORTED for a backup that the catalog cannot hold. */
export function rejectUnfit(backup: BackupRecord): void {
  fitting('backup', backup);
}

function tooLong(table: string, column: string, text: string, most: number): TidemarkError {
  const shown = `${text.slice(0, 40)}…`;
  return new TidemarkError(
    'UNSUPPORTED',
    `the catalog holds ${most} characters of a ${table}'s ${column}, not ${text.length}: ${shown}`,
  );
}
