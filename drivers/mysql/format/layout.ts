import { qualifiedName, quoteName } from '../protocol/connection.ts';
import { type Column, storedColumns, takesOnlyText } from '../rows/column.ts';

/**
 * A name as part of a path. Letters of any language stay; what file systems, shells or SQL literals could trip over is
 * percent-encoded, the dot too, so that no table is called `schema.sql`.
 */
export function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}\p{M}_$-]/gu, (character) =>
    [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );
}

/** The folder of a table, from the root of the backup. */
export function tableFolder(database: string, name: string): string {
  return `databases/${fileName(database)}/${fileName(name)}`;
}

/** Name of the file of the range with this number, in key order. */
export function rangeFileName(number: number): string {
  return `${String(number).padStart(5, '0')}.tsv`;
}

/** Loads a file of rows. `file` is a path for the stock client; ours streams whatever the name says. */
export function loadStatement(table: LoadTarget, file: string): string {
  const columns = storedColumns(table.columns);
  const names = columns.map((column, at) => (takesOnlyText(column) ? `@text${at}` : quoteName(column.name)));
  const sets = columns.flatMap((column, at) =>
    takesOnlyText(column) ? [`${quoteName(column.name)} = CONVERT(@text${at} USING utf8mb4)`] : [],
  );
  return (
    `LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${qualifiedName(table.database, table.name)} CHARACTER SET binary ` +
    `FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (${names.join(', ')})` +
    (sets.length === 0 ? '' : ` SET ${sets.join(', ')}`)
  );
}

export interface LoadTarget {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly Column[];
}
