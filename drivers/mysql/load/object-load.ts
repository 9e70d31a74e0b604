import { TidemarkError } from '../../../core/error.ts';
import type { ObjectFacts, TableFacts } from '../format/contents.ts';
import { sessionStatements, splitScript } from '../format/sql-script.ts';
import { asTargetError, errno, isServerError } from '../protocol/server-error.ts';
import { existingOf } from './existing.ts';
import type { Load } from './work.ts';

/** Runs a file of definitions of the backup. */
export async function runScript(work: Load, path: string): Promise<void> {
  const script = await work.files.bytes(path);
  work.request.signal.throwIfAborted();
  try {
    for (const statement of [...sessionStatements, ...splitScript(script)]) await work.control.execute(statement);
  } catch (error) {
    throw definerError(error, work.subject, path) ?? error;
  }
}

/** A definer other than oneself needs a privilege that managed servers do not give. */
function definerError(error: unknown, subject: string, path: string): TidemarkError | undefined {
  if (!isServerError(error, errno.specificAccess)) return undefined;
  return new TidemarkError('SOURCE_DENIED', `the account may not make ${path} for its definer`, {
    subject,
    hint: 'Grant SET USER (MariaDB), SET_USER_ID or SET_ANY_DEFINER (MySQL), or SUPER to the account that restores.',
    cause: error,
  });
}

/**
 * Makes objects of these kinds. Views may refer to each other in any order: those that fail for want of another are
 * tried again as long as that helps.
 */
export async function createObjects(
  work: Load,
  objects: readonly ObjectFacts[],
  kinds: readonly ObjectFacts['kind'][],
): Promise<void> {
  let waiting = kinds.flatMap((kind) => objects.filter((one) => one.kind === kind));
  while (waiting.length > 0) {
    const failed: ObjectFacts[] = [];
    let last: unknown;
    for (const one of waiting) {
      try {
        await createObject(work, one);
      } catch (error) {
        if (!isServerError(error, errno.noSuchTable, errno.unknownColumn, errno.viewInvalid)) {
          throw asTargetError(error, work.subject, `making ${one.kind} ${one.database}.${one.name}`);
        }
        failed.push(one);
        last = error;
      }
    }
    if (failed.length === waiting.length) {
      const { kind, database, name } = failed[0]!;
      throw asTargetError(last, work.subject, `making ${kind} ${database}.${name}`);
    }
    waiting = failed;
  }
}

async function createObject(work: Load, object: ObjectFacts): Promise<void> {
  await dropExisting(work, object);
  await runScript(work, object.path);
}

export async function dropExisting(work: Load, one: TableFacts | ObjectFacts): Promise<void> {
  const drop = existingOf(work.existing, one);
  if (drop !== undefined) await work.control.execute(drop.replace(/^DROP ([A-Z ]+?) `/, 'DROP $1 IF EXISTS `'));
}
