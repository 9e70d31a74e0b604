import { createHash, type Hash, hash } from 'node:crypto';

/**
 * A digest of lines in any order, each as often as it comes: for tables without a key, which give their rows back in the
 * order they like. The hashes of the lines are added up, 32 bits at a time.
 */
export class RowSum {
  readonly #sum = new Uint32Array(digestBytes / 4);
  /** Of a line of which the end is still to come. */
  #begun: Hash | undefined;

  /** Any piece of the lines; it is not kept. */
  update(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      this.#endLine(bytes.subarray(from, end));
      from = end + 1;
    }
    if (from < bytes.length) this.#begun = (this.#begun ?? createHash('sha256')).update(bytes.subarray(from));
  }

  digest(): string {
    if (this.#begun !== undefined) this.#endLine(Buffer.alloc(0));
    return Buffer.from(this.#sum.buffer).toString('hex');
  }

  #endLine(rest: Uint8Array): void {
    const digest = this.#begun === undefined ? hash('sha256', rest, 'buffer') : this.#begun.update(rest).digest();
    this.#begun = undefined;
    for (let at = 0; at < this.#sum.length; at++) this.#sum[at]! += digest.readUInt32LE(at * 4);
  }
}

const newline = 0x0a;
const digestBytes = 32;
