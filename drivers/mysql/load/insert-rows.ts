import type { LoadTarget } from '../format/layout.ts';
import type { Connection } from '../protocol/connection.ts';
import { qualifiedName, quoteName } from '../protocol/connection.ts';
import { type Column, storedColumns, takesOnlyText } from '../rows/column.ts';

/**
 * Loads lines of TSV by INSERT statements, for servers that forbid LOAD DATA LOCAL. The escapes of the lines mean the
 * same in a literal, so a value is copied as it is, with its quotes escaped. Gives the number of rows.
 */
export async function insertRows(
  connection: Connection,
  table: LoadTarget,
  bytes: AsyncIterable<Uint8Array>,
): Promise<number> {
  const maxBytes = Math.min((await connection.packetLimitBytes()) / 2, statementBytes);
  const writer = new InsertWriter(table);
  let rows = 0;
  for await (const line of lines(bytes)) {
    writer.addRow(line);
    rows++;
    if (writer.sizeBytes >= maxBytes) await connection.execute(writer.take());
  }
  if (writer.sizeBytes > 0) await connection.execute(writer.take());
  return rows;
}

const statementBytes = 1024 * 1024;

/** Lines without their newline. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let to = all.indexOf(newline); to >= 0; to = all.indexOf(newline, from)) {
      yield all.subarray(from, to);
      from = to + 1;
    }
    rest = all.subarray(from);
  }
  if (rest.length > 0) throw new Error('the last line of a file of rows is cut off');
}

class InsertWriter {
  sizeBytes = 0;
  readonly #columns: readonly Column[];
  readonly #head: Buffer;
  #parts: Buffer[] = [];

  constructor(table: LoadTarget) {
    this.#columns = storedColumns(table.columns);
    const names = this.#columns.map((one) => quoteName(one.name)).join(', ');
    this.#head = Buffer.from(`INSERT INTO ${qualifiedName(table.database, table.name)} (${names}) VALUES `);
  }

  addRow(line: Buffer): void {
    const values: Buffer[] = [Buffer.from(this.sizeBytes === 0 ? '(' : ',(')];
    let from = 0;
    for (const [at, column] of this.#columns.entries()) {
      const end = line.indexOf(tab, from);
      const to = end < 0 ? line.length : end;
      if (at > 0) values.push(comma);
      values.push(literal(line.subarray(from, to), column));
      from = to + 1;
    }
    values.push(Buffer.from(')'));
    const row = Buffer.concat(values);
    this.#parts.push(row);
    this.sizeBytes += row.length;
  }

  take(): Buffer {
    const statement = Buffer.concat([this.#head, ...this.#parts]);
    this.#parts = [];
    this.sizeBytes = 0;
    return statement;
  }
}

function literal(value: Buffer, column: Column): Buffer {
  if (value.length === 2 && value[0] === 0x5c && value[1] === 0x4e) return nullLiteral;
  const quoted = value.includes(quote) ? Buffer.from(value.toString('latin1').replaceAll("'", "''"), 'latin1') : value;
  const text = Buffer.concat([introducer, quoted, Buffer.of(quote)]);
  if (!takesOnlyText(column)) return text;
  return Buffer.concat([Buffer.from('CONVERT('), text, Buffer.from(' USING utf8mb4)')]);
}

const newline = 0x0a;
const tab = 0x09;
const quote = 0x27;
const comma = Buffer.from(',');
const nullLiteral = Buffer.from('NULL');
const introducer = Buffer.from("_binary'");
