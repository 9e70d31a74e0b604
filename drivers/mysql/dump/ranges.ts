import type { TableEntry } from '../inventory/inventory.ts';
import { type Connection, qualifiedName, quoteName } from '../protocol/connection.ts';
import { type Column, isIntegerType } from '../rows/column.ts';

/**
 * A half-open range of a table's key: rows with `from <= key < to`, compared column by column on as many columns as a
 * bound has. No `from`: from the first row; no `to`: to the last. The values are SQL literals.
 */
export interface KeyRange {
  readonly from?: Bound;
  readonly to?: Bound;
}
export type Bound = readonly string[];

/**
 * Ranges of about `targetBytes` that tile the key space: each row that there is, or may be, lies in exactly one, because
 * each range starts at the very bound at which the one before ends, and the outermost are open.
 */
export async function splitTable(connection: Connection, table: TableEntry, targetBytes: number): Promise<KeyRange[]> {
  const first = table.key[0];
  if (first === undefined || !table.transactional || table.sizeBytesEstimate <= targetBytes) return [{}];
  const rowBytes = Math.max(1, table.sizeBytesEstimate / Math.max(1, table.rowsEstimate));
  const targetRows = Math.max(1, Math.floor(targetBytes / rowBytes));
  if (isIntegerType(first.type)) return rangesBetween(await integerBounds(connection, table, first, targetRows));
  if (table.key.every((column) => literalOf(column) !== undefined)) {
    return rangesBetween(await steppedBounds(connection, table, targetRows));
  }
  return [{}];
}

/** `bounds` ascend; n of them make n + 1 ranges. */
export function rangesBetween(bounds: readonly Bound[]): KeyRange[] {
  return [...bounds, undefined].map((to, at) => ({ from: at === 0 ? undefined : bounds[at - 1], to }));
}

/** The condition of a range, or undefined when it has no bounds. */
export function rangeCondition(key: readonly string[], { from, to }: KeyRange): string | undefined {
  const conditions = [from && `(${compare(key, from, '>', '>=')})`, to && `(${compare(key, to, '<', '<')})`].filter(
    (one) => one !== undefined,
  );
  return conditions.length === 0 ? undefined : conditions.join(' AND ');
}

/** Row comparison spelt out, because servers use an index for this form and not for `(a, b) > (1, 2)`. */
function compare(key: readonly string[], bound: Bound, strict: string, last: string): string {
  const [name, ...names] = key;
  const [value, ...values] = bound;
  const column = quoteName(name!);
  if (values.length === 0) return `${column} ${last} ${value}`;
  return `${column} ${strict} ${value} OR (${column} = ${value} AND (${compare(names, values, strict, last)}))`;
}

async function integerBounds(connection: Connection, table: TableEntry, first: Column, targetRows: number) {
  const name = qualifiedName(table.database, table.name);
  const column = quoteName(first.name);
  const edges = await connection.row(`SELECT MIN(${column}) AS low, MAX(${column}) AS high FROM ${name}`);
  if (edges?.low == null || edges.high == null) return [];
  const estimate = async (low: bigint, high: bigint) => {
    const plan = await connection.row(
      `EXPLAIN SELECT 1 FROM ${name} FORCE INDEX (PRIMARY) WHERE ${column} >= ${low} AND ${column} < ${high}`,
    );
    return Number(plan?.rows ?? 0);
  };
  const cuts = await splitIntegers(BigInt(edges.low), BigInt(edges.high), targetRows, estimate);
  return cuts.map((cut) => [String(cut)]);
}

/**
 * Cuts between `low` and `high`, ascending, so that by `estimate` (rows in `[low, high)`) each part has at most
 * `targetRows`. Halves intervals that are aligned to powers of two, so that cuts stay where they are while a table
 * grows; joins neighbours that are small together.
 */
export async function splitIntegers(
  low: bigint,
  high: bigint,
  targetRows: number,
  estimate: (low: bigint, high: bigint) => Promise<number>,
): Promise<bigint[]> {
  const parts: { from: bigint; rows: number }[] = [];
  const visit = async (from: bigint, size: bigint): Promise<void> => {
    if (from > high || from + size <= low) return;
    const rows = await estimate(from, from + size);
    if (rows <= targetRows || size === 1n) {
      parts.push({ from, rows });
      return;
    }
    await visit(from, size / 2n);
    await visit(from + size / 2n, size / 2n);
  };
  let size = 1n;
  while (size <= high - low) size *= 2n;
  for (let from = alignDown(low, size); from <= high; from += size) await visit(from, size);
  return joinSmall(parts, targetRows);
}

function alignDown(value: bigint, size: bigint): bigint {
  return value - (((value % size) + size) % size);
}

function joinSmall(parts: readonly { from: bigint; rows: number }[], targetRows: number): bigint[] {
  const cuts: bigint[] = [];
  let rows = 0;
  for (const [at, part] of parts.entries()) {
    if (at > 0 && rows + part.rows > targetRows) {
      cuts.push(part.from);
      rows = 0;
    }
    rows += part.rows;
  }
  return cuts;
}

/** For keys that cannot be interpolated: walks the index and notes every `targetRows`th key. */
async function steppedBounds(connection: Connection, table: TableEntry, targetRows: number): Promise<Bound[]> {
  const names = table.key.map((column) => column.name);
  const list = names.map(quoteName).join(', ');
  const from = `${qualifiedName(table.database, table.name)} FORCE INDEX (PRIMARY)`;
  const bounds: Bound[] = [];
  for (;;) {
    const condition = rangeCondition(names, { from: bounds.at(-1) });
    const [row] = await connection.bytes(
      `SELECT ${list} FROM ${from}${condition === undefined ? '' : ` WHERE ${condition}`} ORDER BY ${list} LIMIT 1 OFFSET ${targetRows}`,
    );
    if (row === undefined) return bounds;
    bounds.push(table.key.map((column) => literalOf(column)!(row[column.name]!)));
  }
}

/** How a key's value is written so that it compares as in the index, or undefined for types where that is not sure. */
function literalOf({ type, charset }: Column): ((value: Buffer) => string) | undefined {
  if (isIntegerType(type) || type === 'decimal') return (value) => value.toString('latin1');
  if (type === 'date' || type === 'datetime' || type === 'timestamp') return (value) => `'${value.toString('latin1')}'`;
  if (type === 'binary' || type === 'varbinary') return (value) => `_binary X'${value.toString('hex')}'`;
  if ((type === 'char' || type === 'varchar') && charset !== null)
    return (value) => `_${charset} X'${value.toString('hex')}'`;
  return undefined;
}
