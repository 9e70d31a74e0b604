import type { Content } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { RowFile, TableFacts } from '../format/contents.ts';
import { needsEscape, storedColumns } from '../rows/column.ts';
import { rowsQuery } from '../rows/rows-query.ts';
import { runOnThreads } from '../workers.ts';
import type { LoadTask } from './load-thread.ts';
import { dropExisting, runScript } from './object-load.ts';
import type { Load } from './work.ts';

/** Makes the tables and loads their rows. Gives warnings. */
export async function loadTables(work: Load, tables: readonly TableFacts[]): Promise<string[]> {
  const { request } = work;
  const warnings: string[] = [];
  await runOnThreads(work.threads, work.count, loadTasks(work, tables), async ({ table, task }, run) => {
    request.signal.throwIfAborted();
    const result = await run(task);
    for (const text of result.warnings ?? []) warnings.push(`${table.database}.${table.name}: ${text}`);
  });
  request.progress.add({ items: tables.length });
  return warnings;
}

/**
 * All tables advance together, so that connections seldom insert into the same one: a table with AUTO_INCREMENT is
 * locked by each LOAD DATA until it ends. A table is made just before its first rows.
 */
async function* loadTasks(work: Load, tables: readonly TableFacts[]): AsyncGenerator<FileTask> {
  for (const table of tables) if (table.files.length === 0) await makeTable(work, table);
  const parts = tables.flatMap((table) =>
    table.files.map((file, at) => ({ table, file, share: (at + 0.5) / table.files.length })),
  );
  const made = new Set<TableFacts>();
  for (const { table, file } of parts.toSorted((a, b) => a.share - b.share)) {
    if (!made.has(table)) await makeTable(work, table);
    made.add(table);
    work.request.progress.step(`loading ${table.database}.${table.name}`);
    const content = await fileContent(work, table, file);
    yield { table, task: { do: 'load', table, content, rows: file.rows } };
  }
}

interface FileTask {
  readonly table: TableFacts;
  readonly task: LoadTask;
}

async function makeTable(work: Load, table: TableFacts): Promise<void> {
  await dropExisting(work, table);
  await runScript(work, `${table.path}/schema.sql`);
}

async function fileContent(work: Load, table: TableFacts, file: RowFile): Promise<Content> {
  const content = await work.files.content(`${table.path}/${file.name}`);
  if (content.sizeBytes === file.bytes) return content;
  throw new TidemarkError('BACKUP_INCOMPLETE', `${table.path}/${file.name} has not the size that the manifest says`);
}

/** Reads everything back and compares it byte for byte with the backup. Throws VERIFY_FAILED. Gives warnings. */
export async function compareTables(work: Load, tables: readonly TableFacts[]): Promise<string[]> {
  const keyless: string[] = [];
  for (const { database, name, key, rows } of tables)
    if (key.length === 0 && rows > 0) keyless.push(`${database}.${name}`);
  await runOnThreads(work.threads, work.count, compareTasks(work, tables), async ({ table, task }, run) => {
    work.request.signal.throwIfAborted();
    if ((await run(task)).equal) return;
    throw new TidemarkError('VERIFY_FAILED', `table ${table.database}.${table.name} differs from the backup`, {
      subject: work.subject,
      hint: 'Something wrote to the table during the restore, or the target stores values differently than the source.',
    });
  });
  return keyless.length === 0
    ? []
    : [`without a primary key, so compared by the number of rows: ${keyless.join(', ')}`];
}

async function* compareTasks(work: Load, tables: readonly TableFacts[]): AsyncGenerator<FileTask> {
  for (const table of tables) {
    if (table.key.length === 0) continue;
    work.request.progress.step(`comparing ${table.database}.${table.name}`);
    const key = table.key.map((name) => ({ name }));
    for (const file of table.files) yield { table, task: await compareTask(work, table, key, file) };
  }
}

async function compareTask(work: Load, table: TableFacts, key: { name: string }[], file: RowFile): Promise<LoadTask> {
  const { database, name, columns } = table;
  return {
    do: 'compare',
    query: rowsQuery({ database, name, columns, key }, file.condition),
    escaped: storedColumns(columns).map(needsEscape),
    content: await fileContent(work, table, file),
    doing: `comparing ${database}.${name}`,
  };
}
