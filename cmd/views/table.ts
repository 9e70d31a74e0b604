import { stripVTControlCharacters } from 'node:util';
import { type Look, paint } from './look.ts';

export interface Column<Row> {
  readonly title: string;
  readonly right?: boolean;
  /** Nothing where there is nothing to say; a column that says nothing in any row is left out. */
  readonly cell: (row: Row) => string | undefined;
}

/** Rows below their titles, each column as wide as it must be. Ends with a line end. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], look: Look): string {
  const texts = columns.map(({ cell }) => rows.map((row) => cell(row) ?? ''));
  const shown = columns
    .map(({ title, right }, at) => ({ title, right, texts: texts[at]! }))
    .filter((column) => column.texts.some((text) => text !== ''));
  const widths = shown.map(({ title, texts }) => Math.max(...[title, ...texts].map(widthOf)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => pad(cell, widths[at]!, shown[at]!.right === true))
      .join('  ')
      .trimEnd();
  const head = paint(look, 'bold', line(shown.map(({ title }) => title)));
  return [head, ...rows.map((_, at) => line(shown.map((column) => column.texts[at]!)))]
    .map((one) => `${one}\n`)
    .join('');
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - widthOf(cell));
  return right ? space + cell : cell + space;
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
