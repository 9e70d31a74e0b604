import type { RowFile, TableFacts } from '../format/contents.ts';
import { rangeFileName, tableFolder } from '../format/layout.ts';
import { useDatabase, writeScript } from '../format/sql-script.ts';
import type { TableEntry } from '../inventory/inventory.ts';
import { meansBusy, meansChanged, meansUnreadable } from '../protocol/server-error.ts';
import { needsEscape, storedColumns } from '../rows/column.ts';
import { rowsQuery } from '../rows/rows-query.ts';
import { runOnThreads } from '../workers.ts';
import { tableLoadScript } from './load-script.ts';
import { rangeCondition, splitTable } from './ranges.ts';
import type { ReadOutcome, TableRead } from './table-read.ts';
import type { Dump, Unread } from './work.ts';

export interface TablesRead {
  readonly whole: readonly { readonly table: TableEntry; readonly facts: TableFacts }[];
  readonly unread: readonly Unread[];
}

/**
 * Reads tables out of the snapshots, the largest first, each range on the thread that is free. A table is whole when
 * each of its ranges was read from what the inventory described; nothing is stored of the others. `later`: the moment
 * that they are of, when it is not the backup's.
 */
export async function dumpTables(work: Dump, tables: readonly TableEntry[], later?: string): Promise<TablesRead> {
  const { request } = work;
  request.progress.expect({
    bytes: tables.reduce((sum, one) => sum + (one.holdsNoRows ? 0 : one.sizeBytesEstimate), 0),
    items: tables.length,
  });
  const parts = new Map<TableEntry, Part[]>();
  await runOnThreads(
    work.threads,
    work.count,
    batchesOf(work, tables, parts, later === undefined),
    async (batch, run) => {
      request.signal.throwIfAborted();
      const reads = batch.map(({ table, part }) => readOf(table, part));
      const { outcomes } = await run({ do: 'read', reads, dictionary: work.dictionary });
      for (const [at, { table, part }] of batch.entries()) {
        part.outcome = outcomes![at]!;
        if (parts.get(table)!.every((one) => one.outcome !== undefined)) request.progress.add({ items: 1 });
      }
    },
  );
  return await storeTables(work, parts, later);
}

interface Part {
  readonly condition?: string;
  outcome?: ReadOutcome;
}

type Batch = { readonly table: TableEntry; readonly part: Part }[];

/** Ranges of large tables alone, small tables together. */
async function* batchesOf(
  work: Dump,
  tables: readonly TableEntry[],
  parts: Map<TableEntry, Part[]>,
  split: boolean,
): AsyncGenerator<Batch> {
  const small: TableEntry[] = [];
  for (const table of tables.toSorted((a, b) => b.sizeBytesEstimate - a.sizeBytesEstimate)) {
    const outcome = withoutReading(table);
    if (outcome !== undefined) {
      parts.set(table, [{ outcome }]);
      continue;
    }
    if (table.sizeBytesEstimate <= batchBytes) {
      small.push(table);
      continue;
    }
    work.request.progress.step(`reading ${table.database}.${table.name}`);
    const own = split ? await partsOf(work, table) : [{}];
    parts.set(table, own);
    for (const part of own) yield [{ table, part }];
  }
  for (const batch of together(small)) {
    work.request.progress.step(`reading ${batch[0]!.database}.${batch[0]!.name}`);
    const reads = batch.map((table) => ({ table, part: {} }));
    for (const { table, part } of reads) parts.set(table, [part]);
    yield reads;
  }
}

/** The server lists no columns of a table that is being renamed. */
function withoutReading({ columns, holdsNoRows }: TableEntry): ReadOutcome | undefined {
  if (columns.length === 0) return { state: 'changed', detail: 'it was being renamed or dropped' };
  if (holdsNoRows || storedColumns(columns).length > 0) return undefined;
  return { state: 'unreadable', detail: 'all its columns are computed, which is not carried' };
}

/** Held together until they are proven whole, so: short. */
const batchBytes = 4 * 1024 * 1024;
const batchTables = 32;
const rangeTargetBytes = 128 * 1024 * 1024;

function* together(tables: readonly TableEntry[]): Generator<TableEntry[]> {
  let batch: TableEntry[] = [];
  let bytes = 0;
  for (const table of tables) {
    if (batch.length > 0 && (batch.length === batchTables || bytes + table.sizeBytesEstimate > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(table);
    bytes += table.sizeBytesEstimate;
  }
  if (batch.length > 0) yield batch;
}

/** The bounds are only where ranges begin and end: a table that changes meanwhile is seen when it is read. */
async function partsOf(work: Dump, table: TableEntry): Promise<Part[]> {
  const key = table.key.map((column) => column.name);
  const ranges = await splitTable(work.control, table, rangeTargetBytes).catch((error) => {
    if (meansChanged(error) || meansUnreadable(error) || meansBusy(error)) return [{}];
    throw error;
  });
  return ranges.map((range) => ({ condition: rangeCondition(key, range) }));
}

function readOf(table: TableEntry, { condition }: Part): TableRead {
  return {
    table,
    columns: table.columns.map((column) => column.name),
    query: table.holdsNoRows ? undefined : rowsQuery(table, condition),
    escaped: storedColumns(table.columns).map(needsEscape),
  };
}

async function storeTables(
  work: Dump,
  parts: ReadonlyMap<TableEntry, readonly Part[]>,
  later: string | undefined,
): Promise<TablesRead> {
  const whole: { table: TableEntry; facts: TableFacts }[] = [];
  const unread: Unread[] = [];
  for (const [table, own] of parts) {
    const failed = own.find((part) => part.outcome!.state !== 'whole')?.outcome;
    if (failed === undefined) whole.push({ table, facts: await storeTable(work, table, own, later) });
    else if (failed.state !== 'whole') unread.push({ ...table, why: failed.detail, state: failed.state });
  }
  return { whole, unread };
}

type Whole = ReadOutcome & { state: 'whole' };

async function storeTable(
  work: Dump,
  table: TableEntry,
  parts: readonly Part[],
  later: string | undefined,
): Promise<TableFacts> {
  const path = tableFolder(table.database, table.name);
  work.root.remove(path); // of another table that was read under this name before
  const files: RowFile[] = [];
  for (const { outcome, condition } of parts) {
    const { rows, content } = outcome as Whole;
    if (rows === 0) continue;
    const name = rangeFileName(files.length);
    work.root.add(`${path}/${name}`, content!);
    files.push({ name, rows, bytes: content!.sizeBytes, condition });
  }
  const { definition, triggers } = parts[0]!.outcome as Whole;
  const store = async (name: string, bytes: Uint8Array) =>
    work.root.add(`${path}/${name}`, await work.sink.content(bytes));
  await store('schema.sql', writeScript([useDatabase(table.database), Buffer.from(definition)]));
  if (triggers !== undefined) await store('triggers.sql', triggers);
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
    hasTriggers: triggers !== undefined,
    files,
    later,
  };
  if (files.length > 0) await store('load.sql', tableLoadScript(facts));
  return facts;
}
