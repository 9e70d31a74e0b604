import { isEnd, type Okay, PacketSplitter, readError, readLength, readOkay, readValues } from './packets.ts';
import type { Exchange } from './wire.ts';

/** Takes the whole answer to a small statement into memory. */
export class ResultSet implements Exchange {
  readonly columns: string[] = [];
  readonly rows: (Buffer | null)[][] = [];
  okay: Okay | undefined;
  #state: 'header' | 'columns' | 'rows' = 'header';
  readonly #packets = new PacketSplitter();

  take(chunk: Uint8Array): boolean {
    for (const { body } of this.#packets.take(chunk)) if (this.#packet(body)) return true;
    return false;
  }

  #packet(body: Buffer): boolean {
    if (body[0] === 0xff) throw readError(body);
    if (this.#state === 'header') return this.#header(body);
    if (this.#state === 'columns') {
      if (isEnd(body)) this.#state = 'rows';
      else this.columns.push(readColumnName(body));
      return false;
    }
    if (isEnd(body)) return true;
    this.rows.push(readValues(Buffer.from(body)));
    return false;
  }

  #header(body: Buffer): boolean {
    if (body[0] === 0xfb) throw new Error('the server asked for a local file that was not offered');
    if (body[0] === 0x00) {
      this.okay = readOkay(body);
      return true;
    }
    this.#state = 'columns';
    return false;
  }
}

/** A column definition: catalog, schema, table, original table, name, … each with its length in front. */
function readColumnName(body: Buffer): string {
  let at = 0;
  for (let skipped = 0; skipped < 4; skipped++) {
    const [length, start] = readLength(body, at);
    at = start + length;
  }
  const [length, start] = readLength(body, at);
  return body.toString('utf8', start, start + length);
}
