import type { Connection } from './connection.ts';
import { type Okay, PacketSplitter, readError, readOkay } from './packets.ts';
import { type Exchange, packetHeader } from './wire.ts';

/**
 * Runs LOAD DATA LOCAL INFILE and sends `bytes` when the server asks for the file. The name that it asks for is never
 * looked at: there is no way for a server to be sent anything else.
 */
export async function loadInfile(
  connection: Connection,
  statement: string,
  bytes: () => AsyncIterable<Uint8Array>,
): Promise<Okay> {
  const partBytes = Math.min(largestPartBytes, Math.floor((await connection.packetLimitBytes()) / 2));
  const exchange = new InfileExchange(async (sequence) => {
    try {
      await send(connection, sequence, bytes(), partBytes);
    } catch (error) {
      exchange.failure = { error };
      connection.destroy(); // else the server would take what it has got for the whole file
    }
  });
  try {
    await connection.stream(statement, exchange);
  } catch (error) {
    throw exchange.failure?.error ?? error;
  }
  return exchange.okay!;
}

async function send(
  connection: Connection,
  sequence: number,
  bytes: AsyncIterable<Uint8Array>,
  partBytes: number,
): Promise<void> {
  let next = sequence;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += partBytes) {
      const part = chunk.subarray(at, at + partBytes);
      await connection.wire.write(packetHeader(part.length, next++));
      await connection.wire.write(part);
    }
  }
  await connection.wire.write(packetHeader(0, next));
}

/** Well below the largest packet of the protocol, which would have to be followed by another. */
const largestPartBytes = 1024 * 1024;

class InfileExchange implements Exchange {
  okay: Okay | undefined;
  /** Why the file could not be sent. */
  failure: { readonly error: unknown } | undefined;
  readonly #packets = new PacketSplitter();
  readonly #send: (sequence: number) => Promise<void>;

  constructor(send: (sequence: number) => Promise<void>) {
    this.#send = send;
  }

  take(chunk: Uint8Array): boolean {
    for (const { body, sequence } of this.#packets.take(chunk)) {
      if (body[0] === 0xff) throw readError(body);
      if (body[0] !== 0xfb) {
        this.okay = readOkay(body);
        return true;
      }
      void this.#send(sequence + 1);
    }
    return false;
  }
}
