import { quoteName } from '../protocol/connection.ts';

/** A column as the dump and the load need to know it. Stored in the manifest: plain data. */
export interface Column {
  readonly name: string;
  /** As information_schema says: `varchar`, `bit`, `json`. */
  readonly type: string;
  readonly charset: string | null;
  readonly nullable: boolean;
  /** Computed by the server from others; never written. */
  readonly generated: boolean;
}

/** The columns whose values are carried. */
export function storedColumns(columns: readonly Column[]): Column[] {
  return columns.filter((one) => !one.generated);
}

/** How a column is read so that its text is its value: FLOAT prints six digits unless it is made a double. */
export function selectExpression({ name, type }: Column): string {
  return type === 'float' ? `${quoteName(name)} * 1e0` : quoteName(name);
}

/** Whether the text of such values can hold a tab, newline, backslash or zero byte. When in doubt, yes. */
export function needsEscape({ type }: Column): boolean {
  return !plainTypes.has(type);
}

/**
 * Types that take text, but from a binary string would take its bytes as their inner form: MySQL's JSON refuses them,
 * MariaDB's UUID and INET misread them.
 */
export function takesOnlyText({ type }: Column): boolean {
  return textOnlyTypes.has(type);
}

const textOnlyTypes = new Set(['json', 'uuid', 'inet4', 'inet6']);

/** Types whose values are compared as they are written, so that key ranges can be cut there. */
export function isIntegerType(type: string): boolean {
  return integerTypes.has(type);
}

const integerTypes = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year']);

const plainTypes = new Set([...integerTypes, 'decimal', 'float', 'double', 'date', 'time', 'datetime', 'timestamp']);
