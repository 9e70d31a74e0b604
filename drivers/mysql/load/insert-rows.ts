import { TidemarkError } from '../../../core/error.ts';
import type { LoadTarget } from '../format/layout.ts';
import type { Connection } from '../protocol/connection.ts';
import { qualifiedName, quoteName } from '../protocol/connection.ts';
import { type Column, storedColumns, takesOnlyText } from '../rows/column.ts';
import { readWarnings } from './row-warnings.ts';

/** What a server made of the rows that were inserted. */
export interface Inserted {
  readonly rows: number;
  /** The first of each statement, each once. */
  readonly warnings: readonly string[];
}

/**
 * Loads lines of TSV by INSERT statements, for servers that forbid LOAD DATA LOCAL. The escapes of the lines mean the
 * same in a literal, so a value is copied as it is, with its quotes escaped. Throws VERIFY_FAILED for a row that is larger
 * than what the server takes at once: sent, it would end the connection.
 */
export async function insertRows(
  connection: Connection,
  table: LoadTarget,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Inserted> {
  const limitBytes = await connection.packetLimitBytes();
  const goalBytes = Math.min(limitBytes / 2, statementBytes);
  const statement = new InsertStatement(table);
  const warnings = new Set<string>();
  let rows = 0;
  for await (const line of lines(bytes)) {
    const values = statement.valuesOf(line);
    if (statement.sizeWith(values) > goalBytes) await send();
    if (statement.sizeWith(values) >= limitBytes) throw tooLarge(table, statement.sizeWith(values), limitBytes);
    statement.add(values);
  }
  await send();
  return { rows, warnings: [...warnings].slice(0, namedWarnings) };

  async function send(): Promise<void> {
    if (statement.isEmpty) return;
    const okay = (await connection.execute(statement.take()))!;
    rows += okay.affectedRows;
    if (warnings.size < namedWarnings) for (const text of await readWarnings(connection, okay)) warnings.add(text);
  }
}

const namedWarnings = 3;
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

/** An INSERT of as many rows as are added. */
class InsertStatement {
  readonly #columns: readonly Column[];
  readonly #head: Buffer;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  constructor(table: LoadTarget) {
    this.#columns = storedColumns(table.columns);
    const names = this.#columns.map((one) => quoteName(one.name)).join(', ');
    this.#head = Buffer.from(`INSERT INTO ${qualifiedName(table.database, table.name)} (${names}) VALUES `);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  valuesOf(line: Buffer): Buffer {
    const values: Buffer[] = [];
    let from = 0;
    for (const [at, column] of this.#columns.entries()) {
      const end = line.indexOf(tab, from);
      const to = end < 0 ? line.length : end;
      values.push(at === 0 ? open : comma, literal(line.subarray(from, to), column));
      from = to + 1;
    }
    return Buffer.concat([...values, close]);
  }

  /** Of the packet that the statement and these values would be: one byte says what it is. */
  sizeWith(values: Buffer): number {
    return 1 + this.#head.length + this.#sizeBytes + comma.length + values.length;
  }

  add(values: Buffer): void {
    if (!this.isEmpty) this.#parts.push(comma);
    this.#parts.push(values);
    this.#sizeBytes += values.length + comma.length;
  }

  take(): Buffer {
    const statement = Buffer.concat([this.#head, ...this.#parts]);
    this.#parts = [];
    this.#sizeBytes = 0;
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

function tooLarge({ database, name }: LoadTarget, sizeBytes: number, limitBytes: number): TidemarkError {
  const sizes = `a row of it makes a statement of ${sizeBytes} bytes, and max_allowed_packet of the server is ${limitBytes}`;
  return new TidemarkError('VERIFY_FAILED', `table ${database}.${name} cannot be loaded by INSERT: ${sizes}`, {
    hint: 'Raise max_allowed_packet of the target, or let it take LOAD DATA LOCAL: `SET GLOBAL local_infile = 1`.',
  });
}

const newline = 0x0a;
const tab = 0x09;
const quote = 0x27;
const comma = Buffer.from(',');
const open = Buffer.from('(');
const close = Buffer.from(')');
const nullLiteral = Buffer.from('NULL');
const introducer = Buffer.from("_binary'");
