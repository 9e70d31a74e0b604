import type { Content } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { RowFile, TableFacts } from '../format/contents.ts';
import { runOnThreads } from '../workers.ts';
import { existingOf } from './existing.ts';
import type { TableState } from './ledger.ts';
import type { LoadResult, LoadTask } from './load-thread.ts';
import { dropExisting, dropIfThere } from './object-load.ts';
import { failureIn, readScript, runStatements } from './run-script.ts';
import { TableProgress } from './table-progress.ts';
import type { Load } from './work.ts';

/**
 * Makes the tables and loads their rows. Gives those that are whole; the ledger knows why others are not. A table that is not whole is dropped, unless
 * it is damaged and damaged things are to be kept.
 */
export async function loadTables(work: Load, tables: readonly TableFacts[]): Promise<readonly TableProgress[]> {
  const all = tables.map((table) => new TableProgress(table));
  await inspectFirst(work, all);
  await runOnThreads(work.threads, work.count, loadTasks(work, all), async ({ table, file, task }, run, thread) => {
    work.request.signal.throwIfAborted();
    take(work, table, file, await run(task), thread);
  });
  for (const table of all) if (table.failures.length > 0) await settle(work, table);
  return all.filter(({ state }) => state === 'whole');
}

/**
 * Before a table is replaced its rows are read once, so that damage does not cost what is there. Also where damaged
 * tables are kept: which rows of a file are whole must be known before it is loaded.
 */
async function inspectFirst(work: Load, all: readonly TableProgress[]): Promise<void> {
  const { existing, request } = work;
  const tables = all.filter(({ facts }) => request.keepDamaged || existingOf(existing, facts) !== undefined);
  await runOnThreads(work.threads, work.count, inspectTasks(work, tables), async ({ table, file, task }, run) => {
    request.signal.throwIfAborted();
    table.found(file, (await run(task)).damage);
  });
}

interface FileTask {
  readonly table: TableProgress;
  readonly file: RowFile;
  readonly task: LoadTask;
}

async function* inspectTasks(work: Load, tables: readonly TableProgress[]): AsyncGenerator<FileTask> {
  for (const table of tables) {
    work.request.progress.step(`reading ${table.name} before it is loaded`);
    for (const file of table.facts.files) {
      const content = await contentOf(work, table, file);
      if (content !== undefined) yield { table, file, task: { do: 'inspect', content } };
    }
  }
}

/**
 * All tables advance together, so that connections seldom insert into the same one: a table with AUTO_INCREMENT is
 * locked by each LOAD DATA until it ends. A table is made just before its first rows.
 */
async function* loadTasks(work: Load, all: readonly TableProgress[]): AsyncGenerator<FileTask> {
  for (const table of all) if (table.facts.files.length === 0) await makeTable(work, table);
  const parts = all.flatMap((table) =>
    table.facts.files.map((file, at) => ({ table, file, share: (at + 0.5) / table.facts.files.length })),
  );
  for (const { table, file } of parts.toSorted((a, b) => a.share - b.share)) {
    const task = await nextTask(work, table, file);
    if (task !== undefined) yield { table, file, task };
  }
}

/** Of a table that will not stay, the other files are only looked at: all damage is to be told. */
async function nextTask(work: Load, table: TableProgress, file: RowFile): Promise<LoadTask | undefined> {
  if (table.state === 'refused' || table.hasLost(file)) return undefined;
  const content = await contentOf(work, table, file);
  if (content === undefined) return undefined;
  if (table.failures.length > 0 && !work.request.keepDamaged) {
    return table.isDamaged && !table.wasInspected(file) ? { do: 'inspect', content } : undefined;
  }
  if (table.state === 'not begun' && !(await makeTable(work, table))) return undefined;
  work.request.progress.step(`loading ${table.name}`);
  return { do: 'load', table: table.facts, content, rows: file.rows, damage: table.damageIn(file) };
}

/** What is there is dropped only when the new definition could be read, and the server is not known to refuse it. */
async function makeTable(work: Load, table: TableProgress): Promise<boolean> {
  const { facts } = table;
  const isKnown = !work.lacks.has(facts);
  const failure = await failureIn(work, async () => {
    const [statements = []] = await readScript(work, `${facts.path}/schema.sql`);
    if (isKnown) await dropExisting(work, facts);
    await runStatements(work, facts, statements);
  });
  if (failure !== undefined) work.ledger.fail(facts, failure);
  enter(work, table, failure !== undefined ? 'refused' : facts.files.length === 0 ? 'whole' : 'half loaded');
  return failure === undefined;
}

function enter(work: Load, table: TableProgress, state: TableState): void {
  table.state = state;
  work.ledger.set(table.facts, state);
  if (state === 'whole') work.request.progress.add({ items: 1 });
}

/** Undefined when it is damaged, which the table then knows. */
async function contentOf(work: Load, table: TableProgress, file: RowFile): Promise<Content | undefined> {
  let content: Content | undefined;
  const failure = await failureIn(work, async () => {
    content = await fileContent(work, table.facts, file);
  });
  if (failure !== undefined) table.lose(file, failure);
  return content;
}

/** Throws REPOSITORY_CORRUPT, BACKUP_INCOMPLETE. */
export async function fileContent(work: Load, table: TableFacts, file: RowFile): Promise<Content> {
  const content = await work.files.content(`${table.path}/${file.name}`);
  if (content.sizeBytes === file.bytes) return content;
  throw new TidemarkError('BACKUP_INCOMPLETE', `${table.path}/${file.name} has not the size that the manifest says`);
}

function take(work: Load, table: TableProgress, file: RowFile, result: LoadResult, thread: number): void {
  const { ledger, connectionIds } = work;
  if (result.connectionId !== undefined) connectionIds.set(thread, result.connectionId);
  for (const text of result.warnings ?? []) {
    ledger.warnings.push(`${table.name}: ${text}`);
    table.isDoubtful = true;
  }
  table.took(file, result);
  if (table.isWhole) enter(work, table, 'whole');
}

/** A table that is not whole does not stay under its name, or it is said. */
async function settle(work: Load, table: TableProgress): Promise<void> {
  if (table.state === 'refused') return;
  const { why, detail } = table.failure();
  const fail = (rest: string) => work.ledger.fail(table.facts, { why, detail: `${detail}; ${rest}` });
  if (table.state === 'not begun') {
    const isThere = existingOf(work.existing, table.facts) !== undefined;
    fail(isThere ? 'what was there before is still there' : 'the table was not made');
  } else if (work.request.keepDamaged && table.isDamaged) {
    enter(work, table, 'damaged');
    fail(`${table.rowsLoaded} of its ${table.facts.rows} rows are there`);
  } else {
    fail(await dropHalf(work, table));
  }
}

async function dropHalf(work: Load, table: TableProgress): Promise<string> {
  const refusal = await failureIn(work, () => dropIfThere(work, table.facts));
  if (refusal !== undefined) return `the table is half loaded and could not be dropped: ${refusal.detail}`;
  enter(work, table, 'dropped');
  return `the table is dropped again${table.isDamaged ? '; with `--keep-damaged` its whole rows stay' : ''}`;
}
