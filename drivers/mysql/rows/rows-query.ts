import type { TableEntry } from '../inventory/inventory.ts';
import { qualifiedName, quoteName } from '../protocol/connection.ts';
import { selectExpression, storedColumns } from './column.ts';

/** Reads the rows of a table or of one range of it. The same query on a restored table gives the same bytes. */
export function rowsQuery(
  table: Pick<TableEntry, 'database' | 'name' | 'columns'> & { readonly key: readonly { readonly name: string }[] },
  condition: string | undefined,
): string {
  const key = table.key.map((column) => quoteName(column.name)).join(', ');
  return [
    `SELECT SQL_NO_CACHE ${storedColumns(table.columns).map(selectExpression).join(', ')}`,
    `FROM ${qualifiedName(table.database, table.name)}`,
    ...(key === '' ? [] : ['FORCE INDEX (PRIMARY)']),
    ...(condition === undefined ? [] : [`WHERE ${condition}`]),
    ...(key === '' ? [] : [`ORDER BY ${key}`]),
  ].join(' ');
}
