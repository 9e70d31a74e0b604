import type { RowFile, TableFacts } from '../format/contents.ts';
import { needsEscape, storedColumns } from '../rows/column.ts';
import { rowsQuery } from '../rows/rows-query.ts';
import { runOnThreads } from '../workers.ts';
import type { LoadTask } from './load-thread.ts';
import { fileContent } from './table-load.ts';
import type { TableProgress } from './table-progress.ts';
import type { Load } from './work.ts';

/**
 * Reads tables back and compares their rows byte for byte with the backup, those without a key in any order. All that
 * differ are named; they stay.
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
}

const differs =
  'read back, its rows differ from the backup: something wrote to it, or the target stores values differently';

interface CompareTask {
  readonly table: TableFacts;
  readonly task: LoadTask;
}

async function* compareTasks(work: Load, tables: readonly TableProgress[]): AsyncGenerator<CompareTask> {
  for (const { facts: table } of tables) {
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
    inOrder: key.length > 0,
    doing: `comparing ${database}.${name}`,
  };
}
