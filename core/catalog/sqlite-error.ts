import { TidemarkError } from '../error.ts';

const rebuildHint =
  'Move the file, and those beside it that end in -wal and -shm, away; run `tidemark catalog import` for each destination, which finds the backups again, then `tidemark apply`.';

/** What SQLite or the file system threw about the catalog at `path`, as CATALOG_BUSY or CATALOG_UNREADABLE. */
export function translateSqliteError(thrown: unknown, path: string): unknown {
  const result = primaryResult(thrown);
  if (result === undefined) return isFileError(thrown) ? unreadable(thrown, path, accessHint(path)) : thrown;
  if (isBusy(thrown)) return busy(thrown, path);
  if (damaged.has(result)) return unreadable(thrown, path, rebuildHint);
  if (inaccessible.has(result)) return unreadable(thrown, path, accessHint(path));
  return thrown;
}

/** SQLITE_BUSY and SQLITE_LOCKED: somebody else writes. */
export function isBusy(thrown: unknown): boolean {
  const result = primaryResult(thrown);
  return result === 5 || result === 6;
}

/** A catalog that we can read but must not use. */
export function unusable(path: string, text: string, hint = rebuildHint): TidemarkError {
  return new TidemarkError('CATALOG_UNREADABLE', `the catalog ${path} ${text}`, { subject: 'catalog', hint });
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const damaged = new Set([11, 26]);
/** SQLITE_PERM, SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN. */
const inaccessible = new Set([3, 8, 10, 13, 14]);

function primaryResult(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined;
  return thrown.errcode & 0xff;
}

function isFileError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}

function busy(cause: unknown, path: string): TidemarkError {
  return new TidemarkError('CATALOG_BUSY', `the catalog ${path} is locked by another process`, {
    subject: 'catalog',
    hint: 'Try again; if it stays locked, look for a stopped tidemark process or another program that has the file open.',
    cause,
  });
}

function unreadable(cause: unknown, path: string, hint: string): TidemarkError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new TidemarkError('CATALOG_UNREADABLE', `the catalog ${path} cannot be used: ${text}`, {
    subject: 'catalog',
    hint,
    cause,
  });
}

function accessHint(path: string): string {
  return `Check the permissions of ${path} and its folder, and the free space of its file system.`;
}
