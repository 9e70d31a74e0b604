import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { makeFolders } from '../make-folders.ts';
import type { Catalog } from './catalog.ts';
import { kysely } from './kysely.ts';
import { migrations } from './migrations.ts';
import { openParts } from './parts.ts';
import { type Patience, retryWhileBusy, sqliteDialect } from './sqlite-dialect.ts';
import { translateSqliteError, unusable } from './sqlite-error.ts';
import type { Tables } from './tables.ts';

/**
 * Opens the catalog in the SQLite file at `path` (absolute), and makes it when it is not there: file mode 0600, missing
 * folders 0700. Several processes may have it open; a write waits up to `busyTimeoutMs` for the others'. Disposing twice
 * is harmless.
 */
export async function openSqliteCatalog(path: string, clock: Clock, { busyTimeoutMs = 10_000 } = {}): Promise<Catalog> {
  const patience = { path, busyTimeoutMs };
  const database = await openFile(patience);
  const db = new kysely.Kysely<Tables>({ dialect: sqliteDialect(database, patience) });
  try {
    await migrate(db, path);
    const opened = identify(path);
    const checkPresence = () => requireSame(path, opened);
    return { ...openParts(db, clock), checkPresence, [Symbol.asyncDispose]: () => db.destroy() };
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/**
 * Device and inode: another file at the same path has others. Undefined when there is none. At once, as the database
 * itself answers: whoever else waits for files of this process must not hold up who holds a lease.
 */
function identify(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw translateSqliteError(thrown, path);
  }
}

async function requireSame(path: string, opened: string | undefined): Promise<void> {
  const found = identify(path);
  if (found !== undefined && found === opened) return;
  throw unusable(path, `was ${found === undefined ? 'deleted' : 'replaced'} while it was open`, goneHint);
}

const goneHint =
  'Put it back, or start anew with an empty one: run `tidemark apply`, then `tidemark catalog import` for each destination, which finds the backups again. Pauses and the record of jobs are not in the repositories.';

async function openFile(patience: Patience): Promise<DatabaseSync> {
  const { path } = patience;
  let database: DatabaseSync | undefined;
  try {
    await createFile(path);
    database = new DatabaseSync(path, { timeout: 0 });
    await configure(database, patience);
    return database;
  } catch (thrown) {
    database?.close();
    throw translateSqliteError(thrown, path);
  }
}

/** The log and the shared memory beside it take their mode from this file. */
async function createFile(path: string): Promise<void> {
  await makeFolders(dirname(path), 0o700);
  try {
    const file = await open(path, 'wx', 0o600);
    await file.close();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
}

/**
 * FULL: a job or a backup that was reported as done is still done after a power cut. The catalog writes a few rows per
 * second at most, so the fsync of each commit costs nothing that matters.
 */
async function configure(database: DatabaseSync, patience: Patience): Promise<void> {
  await retryWhileBusy(patience, () => {
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = full');
  });
}

/** `TIDE`: tells a catalog from any other SQLite file. */
const applicationId = 0x54494445;

/** Brings the schema to this version, once, whichever of several processes comes first. */
async function migrate(db: Kysely<Tables>, path: string): Promise<void> {
  if (await isCurrent(db)) return;
  await db.transaction().execute(async (transaction) => {
    const version = await schemaVersion(transaction, path);
    for (const step of migrations.slice(version)) await step(transaction);
    await kysely.sql`pragma application_id = ${kysely.sql.lit(applicationId)}`.execute(transaction);
    await kysely.sql`pragma user_version = ${kysely.sql.lit(migrations.length)}`.execute(transaction);
  });
}

/** Asked without a transaction: while another process makes the catalog the answer is no, and `migrate` looks again. */
async function isCurrent(db: Kysely<Tables>): Promise<boolean> {
  const application = await pragma(db, 'application_id');
  return application === applicationId && (await pragma(db, 'user_version')) === migrations.length;
}

async function schemaVersion(db: Transaction<Tables>, path: string): Promise<number> {
  const application = await pragma(db, 'application_id');
  const version = await pragma(db, 'user_version');
  if (application === 0 && version === 0 && (await isEmpty(db))) return 0;
  if (application !== applicationId) throw unusable(path, 'is a database of another program');
  if (version > migrations.length) {
    throw unusable(path, `has schema ${version}, newer than this tidemark`, newerHint);
  }
  return version;
}

const newerHint =
  'Use the tidemark that wrote it or a newer one; or name another file and run `tidemark catalog import` to fill it.';

async function pragma(db: Kysely<Tables>, name: 'application_id' | 'user_version'): Promise<number> {
  const { rows } = await kysely.sql<Record<string, number>>`pragma ${kysely.sql.raw(name)}`.execute(db);
  return rows[0]![name]!;
}

async function isEmpty(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await kysely.sql`select 1 from sqlite_master limit 1`.execute(db);
  return rows.length === 0;
}
