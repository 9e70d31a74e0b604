import { TidemarkError } from '../../../core/error.ts';
import { sessionStatements, splitScript } from '../format/sql-script.ts';
import { errno, isServerError } from '../protocol/server-error.ts';
import { type Failure, failureOf } from './failure.ts';
import type { Item } from './ledger.ts';
import type { Load } from './work.ts';

/** The statements of a file of definitions, per object: each begins with the database to use. Throws what it is damaged by. */
export async function readScript(work: Load, path: string): Promise<Buffer[][]> {
  const objects: Buffer[][] = [];
  for (const statement of splitScript(await work.files.bytes(path))) {
    if (objects.length === 0 || isUse(statement)) objects.push([]);
    objects.at(-1)!.push(statement);
  }
  if (objects.length === 0) throw new TidemarkError('BACKUP_INCOMPLETE', `${path} holds no definition`);
  return objects;
}

/** Does what may cost one thing: false when it did, and the ledger says why. Throws what ends the restore. */
export async function attempt(work: Load, item: Item, make: () => Promise<void>): Promise<boolean> {
  const failure = await failureIn(work, make);
  if (failure !== undefined) work.ledger.fail(item, failure);
  return failure === undefined;
}

/** Why it could not be done. Throws what ends the restore. */
export async function failureIn(work: Load, make: () => Promise<void>): Promise<Failure | undefined> {
  work.request.signal.throwIfAborted();
  try {
    await make();
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return failure;
  }
}

/**
 * Makes one object. After a refusal the statements still run that undo what those before them set, such as the collation
 * of the database; then throws the refusal.
 */
export async function runStatements(work: Load, item: Item, statements: readonly Buffer[]): Promise<void> {
  for (const statement of sessionStatements) await work.control.execute(statement);
  let refusal: { error: unknown } | undefined;
  for (const statement of statements) {
    if (refusal !== undefined && !setsBack(statement)) continue;
    try {
      await runStatement(work, item, statement);
    } catch (error) {
      if (failureOf(error) === undefined) throw error;
      refusal ??= { error };
    }
  }
  if (refusal !== undefined) throw refusal.error;
}

async function runStatement(work: Load, item: Item, statement: Buffer): Promise<void> {
  const okay = await work.control.execute(statement);
  if (okay === undefined || okay.warnings === 0 || !isCreate(statement)) return;
  for (const row of await work.control.rows('SHOW WARNINGS LIMIT 10')) {
    if (isRemarkable(Number(row.Code), row.Level)) work.ledger.warn(item, row.Message ?? '');
  }
}

/** What a server did otherwise than it was told. That something is out of fashion is of no interest here. */
function isRemarkable(code: number, level: string | null | undefined): boolean {
  return remarkableNotes.includes(code) || (level === 'Warning' && !deprecations.includes(code));
}

/** The definer does not exist, so the object cannot be used; a key was cut to the length that the server takes. */
const remarkableNotes = [1449, 1071];
const deprecations = [1287, 1681, 3719, 3778];

function isUse(statement: Buffer): boolean {
  return statement.toString('latin1', 0, 5) === 'USE `';
}

function isCreate(statement: Buffer): boolean {
  return statement.toString('latin1', 0, 7) === 'CREATE ';
}

function setsBack(statement: Buffer): boolean {
  return /^(SET|ALTER DATABASE) /.test(statement.toString('latin1', 0, 16));
}

/** Views may refer to each other in any order, so these may pass when others are made. */
export function mayPassLater(error: unknown): boolean {
  return isServerError(error, errno.noSuchTable, errno.unknownColumn, errno.viewInvalid);
}
