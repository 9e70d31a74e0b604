import type { RowFile, TableFacts } from '../format/contents.ts';
import { needsEscape, storedColumns } from '../rows/column.ts';
import { rowsQuery } from '../rows/rows-query.ts';
import { runOnThreads } from '../workers.ts';
import type { LoadTask } from './load-thread.ts';
import { fileContent } from './table-load.ts';
import type { TableProgress } from './table-progress.ts';
import type { Load } from './work.ts';

/**
 * Reads tables back and compares them byte for byte with the backup. All that differ are named; they stay. Tables
 * without a key have no order to compare in: the number of their rows was compared when they were loaded.
 */
export async function compareTables(work: Load, tables: readonly TableProgress[]): Promise<void> {
  const differ = new Map<TableFacts, string>();
  await runOnThreads(work.threads, work.count, compareTasks(work, tables), async ({ table, task }, run) => {
    work.request.signal.throwIfAborted();
    const { equal, failure } = await run(task);
    if (failure !== undefined) differ.set(table, failure.detail);
    else if (!equal && !differ.has(table)) differ.set(table, differs);
  });
  for (const [table, detail] of differ) {
    work.ledger.set(table, 'damaged');
    work.ledger.fail(table, { why: 'refused', detail: `${detail}; the table is there as the target holds it` });
  }
  const keyless = tables.filter(({ facts }) => facts.key.length === 0 && facts.rows > 0).map(({ name }) => name);
  if (keyless.length > 0) {
    work.ledger.warnings.push(`without a primary key, so compared by the number of rows: ${keyless.join(', ')}`);
  }
}

const differs =
  'read back, its rows differ from the backup: something wrote to it, or the target stores values differently';

interface CompareTask {
  readonly table: TableFacts;
  readonly task: LoadTask;
}

async function* compareTasks(work: Load, tables: readonly TableProgress[]): AsyncGenerator<CompareTask> {
  for (const { facts: table } of tables) {
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
