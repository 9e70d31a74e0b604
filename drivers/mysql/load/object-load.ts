import type { DatabaseFacts, ObjectFacts, TableFacts } from '../format/contents.ts';
import { qualifiedName, quoteName } from '../protocol/connection.ts';
import { inItsCollation } from './code-collation.ts';
import { existingOf, hasDatabase } from './existing.ts';
import { type Failure, failureOf } from './failure.ts';
import { needs } from './ledger.ts';
import { attempt, failureIn, mayPassLater, readScript, runStatements } from './run-script.ts';
import type { Load } from './work.ts';

/** Makes the databases that are not there; one whose definition cannot be had gets the server's own defaults, and is named. */
export async function createDatabases(work: Load, databases: readonly DatabaseFacts[]): Promise<void> {
  for (const item of databases.filter(({ database }) => !hasDatabase(work.existing, database))) {
    const failure = await failureIn(work, async () => {
      for (const statements of await readScript(work, item.path)) await runStatements(work, item, statements);
    });
    if (failure === undefined) continue;
    const plain = `CREATE DATABASE IF NOT EXISTS ${quoteName(item.database)}`;
    const refusal = await failureIn(work, async () => void (await work.control.execute(plain)));
    const instead = refusal === undefined ? "; it was made with the server's own character set" : '';
    work.ledger.fail(item, { ...failure, detail: `${failure.detail}${instead}` });
  }
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
    const failed = new Map<ObjectFacts, Failure>();
    for (const one of waiting) {
      await attempt(work, one, async () => {
        const refusal = await refusalForNow(work, one);
        if (refusal !== undefined) failed.set(one, refusal);
      });
    }
    if (failed.size === waiting.length) for (const [one, failure] of failed) work.ledger.fail(one, failure);
    waiting = failed.size === waiting.length ? [] : [...failed.keys()];
  }
}

/** Makes the object, or says why it cannot be made as long as others are not there. Throws any other failure. */
async function refusalForNow(work: Load, object: ObjectFacts): Promise<Failure | undefined> {
  try {
    await createObject(work, object);
    return undefined;
  } catch (error) {
    if (!mayPassLater(error)) throw error;
    return failureOf(error);
  }
}

/** What is there is dropped only when the new definition could be read; a view is replaced by its own statement. */
async function createObject(work: Load, object: ObjectFacts): Promise<void> {
  const [statements = []] = await readScript(work, object.path);
  if (existingOf(work.existing, object)?.startsWith('DROP VIEW') !== true) await dropExisting(work, object);
  try {
    await runStatements(work, object, inItsCollation(work, object, statements));
    work.ledger.made(object);
  } catch (error) {
    // Made, but not set to its next value, it would give numbers twice.
    if (object.kind === 'sequence') await failureIn(work, () => dropIfThere(work, object));
    throw error;
  }
}

/** Makes the triggers of a table, each for itself. */
export async function createTriggers(work: Load, table: TableFacts): Promise<void> {
  const { database, name } = table;
  const all = triggersOf(table);
  const lost = work.ledger.lost(`${database}.${name}`);
  if (lost !== undefined && !work.ledger.tables('damaged').includes(table)) {
    work.ledger.fail(all, { why: 'skipped', detail: needs(lost) });
    return;
  }
  const read = await attempt(work, all, async () => {
    for (const statements of await readScript(work, `${table.path}/triggers.sql`)) {
      const item = { kind: 'trigger', database, name: triggerName(statements) ?? `of ${name}` } as const;
      await attempt(work, item, () => runStatements(work, item, inItsCollation(work, item, statements)));
    }
  });
  if (read) work.ledger.made(all);
}

export function triggersOf({ database, name }: TableFacts) {
  return { kind: 'triggers of table', database, name } as const;
}

/** As its definition has it, which is as somebody wrote it. */
function triggerName(statements: readonly Buffer[]): string | undefined {
  const definition = statements.find((one) => one.toString('latin1', 0, 7) === 'CREATE ')?.toString('utf8') ?? '';
  const name = /\bTRIGGER\s+(?:IF NOT EXISTS\s+)?(?:(?:`[^`]+`|[^\s`.]+)\s*\.\s*)?(`(?:[^`]|``)+`|[^\s`]+)/i.exec(
    definition,
  )?.[1];
  return name?.startsWith('`') === true ? name.slice(1, -1).replaceAll('``', '`') : name;
}

export async function dropExisting(work: Load, one: TableFacts | ObjectFacts): Promise<void> {
  const drop = existingOf(work.existing, one);
  if (drop === undefined) return;
  await work.control.execute(drop.replace(/^DROP ([A-Z ]+?) `/, 'DROP $1 IF EXISTS `'));
  work.ledger.replaced(one);
}

export async function dropIfThere(work: Load, { kind, database, name }: TableFacts | ObjectFacts): Promise<void> {
  await work.control.execute(`DROP ${kind.toUpperCase()} IF EXISTS ${qualifiedName(database, name)}`);
}
