/** How values stand in columns: see `tables.ts`. */

export function timeColumn(time: Date): number;
export function timeColumn(time: Date | undefined): number | null;
export function timeColumn(time: Date | undefined): number | null {
  return time === undefined ? null : time.getTime();
}

export function toTime(column: number): Date;
export function toTime(column: number | null): Date | undefined;
export function toTime(column: number | null): Date | undefined {
  return column === null ? undefined : new Date(column);
}

export function jsonColumn(value: object): string;
export function jsonColumn(value: object | undefined): string | null;
export function jsonColumn(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Times inside a structure come back as text; the part that knows the structure makes them `Date`. */
export function fromJson<T>(column: string): T;
export function fromJson<T>(column: string | null): T | undefined;
export function fromJson<T>(column: string | null): T | undefined {
  return column === null ? undefined : (JSON.parse(column) as T);
}
