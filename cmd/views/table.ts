import { stripVTControlCharacters } from 'node:util';
import { type Look, paint } from './look.ts';

export interface Column<Row> {
  readonly title: string;
  readonly right?: boolean;
  /** Left out first where the table is wider than the terminal. */
  readonly minor?: boolean;
  /** Nothing where there is nothing to say; a column that says nothing in any row is left out. */
  readonly cell: (row: Row) => string | undefined;
}

/**
 * Rows below their titles, each column as wide as it must be. Where the terminal is narrower, minor columns go, then the
 * text of the last column is wrapped, and then each row stands as a record, a line per field. Ends with a line end.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], look: Look): string {
  const telling = columns
    .map((column) => filled(column, rows))
    .filter(({ texts }) => texts.some((text) => text !== ''));
  const shown = withoutMinor(telling, look.columns);
  const lastWidth = look.columns - (widthOfAll(shown) - (shown.at(-1)?.width ?? 0));
  if (widthOfAll(shown) <= look.columns) return grid(shown, rows.length, look);
  if (shown.at(-1)?.right !== true && lastWidth >= leastWrapped) {
    return grid(shown.with(-1, { ...shown.at(-1)!, width: lastWidth }), rows.length, look);
  }
  return records(telling, rows.length, look);
}

/** A text that is wrapped to less than this is not read any more. */
const leastWrapped = 24;
const gap = '  ';

interface Filled {
  readonly title: string;
  readonly right: boolean;
  readonly minor: boolean;
  readonly texts: readonly string[];
  readonly width: number;
}

function filled<Row>({ title, right = false, minor = false, cell }: Column<Row>, rows: readonly Row[]): Filled {
  const texts = rows.map((row) => cell(row) ?? '');
  const width = texts.reduce((widest, text) => Math.max(widest, widthOf(text)), title.length);
  return { title, right, minor, texts, width };
}

/** From the right, no more than it takes. */
function withoutMinor(columns: readonly Filled[], most: number): readonly Filled[] {
  if (widthOfAll(columns) <= most) return columns;
  const at = columns.findLastIndex(({ minor }) => minor);
  return at < 0 ? columns : withoutMinor(columns.toSpliced(at, 1), most);
}

function widthOfAll(columns: readonly Filled[]): number {
  return columns.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
}

function grid(columns: readonly Filled[], rows: number, look: Look): string {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => pad(cell, columns[at]!))
      .join(gap)
      .trimEnd();
  const head = paint(look, 'bold', line(columns.map(({ title }) => title)));
  const indent = ' '.repeat(widthOfAll(columns) - columns.at(-1)!.width);
  const lines = Array.from({ length: rows }, (_, row) => {
    const cells = columns.map(({ texts }) => texts[row]!);
    const [first = '', ...more] = wrapped(cells.at(-1)!, columns.at(-1)!.width);
    return [line(cells.with(-1, first)), ...more.map((text) => indent + text)].join('\n');
  });
  return [head, ...lines].map((one) => `${one}\n`).join('');
}

function pad(cell: string, { width, right }: Filled): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return right ? space + cell : cell + space;
}

/** At spaces where there are any. A text that fits stays as it is, with its colours. */
function wrapped(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines = [''];
  for (const word of stripVTControlCharacters(text)
    .split(' ')
    .flatMap((one) => cut(one, width))) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function cut(word: string, width: number): string[] {
  return word.length <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [word]);
}

function records(columns: readonly Filled[], rows: number, look: Look): string {
  const widest = Math.max(...columns.map(({ title }) => title.length));
  const record = (row: number) =>
    columns
      .filter(({ texts }) => texts[row] !== '')
      .map(({ title, texts }) => `${paint(look, 'bold', title.padEnd(widest))}${gap}${texts[row]}\n`)
      .join('');
  return Array.from({ length: rows }, (_, row) => record(row)).join('\n');
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
