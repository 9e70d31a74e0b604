import type { Content } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { RowFile, TableFacts } from '../format/contents.ts';
import { rangeFileName, tableFolder } from '../format/layout.ts';
import type { TableEntry } from '../inventory/inventory.ts';
import { needsEscape, storedColumns } from '../rows/column.ts';
import { rowsQuery } from '../rows/rows-query.ts';
import { runOnThreads } from '../workers.ts';
import type { DumpTask } from './dump-thread.ts';
import { tableLoadScript } from './load-script.ts';
import { rangeCondition, splitTable } from './ranges.ts';
import type { Dump } from './work.ts';

/** Reads the rows of all tables, the largest first, each range on the thread that is free. */
export async function dumpTables(work: Dump, tables: readonly TableEntry[]): Promise<TableFacts[]> {
  const { request } = work;
  const withRows = tables.filter((one) => !one.holdsNoRows);
  request.progress.expect({
    bytes: withRows.reduce((sum, one) => sum + one.sizeBytesEstimate, 0),
    items: tables.length,
  });
  const parts = new Map<TableEntry, Part[]>(tables.map((table) => [table, []]));

  await runOnThreads(work.threads, work.count, rangeTasks(work, withRows, parts), async (range, run) => {
    request.signal.throwIfAborted();
    const { rows, content } = await run(range.task);
    range.part.rows = rows!;
    range.part.content = content!;
    if (parts.get(range.table)!.every((part) => part.content !== undefined)) request.progress.add({ items: 1 });
  });
  const facts: TableFacts[] = [];
  for (const [table, found] of parts) facts.push(await storeTable(work, table, found));
  return facts;
}

interface Part {
  readonly condition?: string;
  rows: number;
  content?: Content;
}

interface RangeTask {
  readonly table: TableEntry;
  readonly part: Part;
  readonly task: DumpTask;
}

async function* rangeTasks(
  work: Dump,
  tables: readonly TableEntry[],
  parts: Map<TableEntry, Part[]>,
): AsyncGenerator<RangeTask> {
  for (const table of tables.toSorted((a, b) => b.sizeBytesEstimate - a.sizeBytesEstimate)) {
    work.request.progress.step(`reading ${table.database}.${table.name}`);
    const key = table.key.map((column) => column.name);
    const ranges = await splitTable(work.control, table, rangeTargetBytes);
    const own = ranges.map((range): Part => ({ condition: rangeCondition(key, range), rows: 0 }));
    parts.set(table, own);
    for (const part of own) yield { table, part, task: rowsTask(table, part.condition) };
  }
}

const rangeTargetBytes = 128 * 1024 * 1024;

function rowsTask(table: TableEntry, condition: string | undefined): DumpTask {
  const columns = storedColumns(table.columns);
  const doing = `reading ${table.database}.${table.name}`;
  if (columns.length === 0) {
    throw new TidemarkError('UNSUPPORTED', `${doing}: all its columns are computed`, {
      hint: 'Exclude the table from the plan.',
    });
  }
  return { do: 'rows', query: rowsQuery(table, condition), escaped: columns.map(needsEscape), doing };
}

async function storeTable(work: Dump, table: TableEntry, parts: readonly Part[]): Promise<TableFacts> {
  const path = tableFolder(table.database, table.name);
  const files: RowFile[] = [];
  for (const { rows, content, condition } of parts) {
    if (rows === 0) continue;
    const name = rangeFileName(files.length);
    work.root.add(`${path}/${name}`, content!);
    files.push({ name, rows, bytes: content!.sizeBytes, condition });
  }
  const facts: TableFacts = {
    kind: 'table',
    database: table.database,
    name: table.name,
    engine: table.engine,
    rows: files.reduce((sum, one) => sum + one.rows, 0),
    bytes: files.reduce((sum, one) => sum + one.bytes, 0),
    columns: table.columns,
    key: table.key.map((column) => column.name),
    path,
    hasTriggers: table.triggers.length > 0,
    files,
  };
  if (files.length > 0) work.root.add(`${path}/load.sql`, await work.sink.content(tableLoadScript(facts)));
  return facts;
}
