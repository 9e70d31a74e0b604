import type { Duplex } from 'node:stream';
import { ServerError } from './server-error.ts';

/** One statement's conversation with the server after it was sent. */
export interface Exchange {
  /**
   * Takes bytes that the server sent, in any pieces; true when its answer is complete. Throws `ServerError` when the
   * answer ended with an error: the connection stays usable. After any other exception it is closed.
   */
  take(chunk: Uint8Array): boolean;
}

/**
 * The text protocol of MySQL over a stream on which somebody else (mysql2) has logged in. One exchange at a time. Rows
 * reach their exchange as raw bytes, without objects per row.
 */
export class Wire {
  readonly #stream: Duplex;
  #pending: { exchange: Exchange; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #lost: { readonly reason: unknown } | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#fail(connectionLost()));
    stream.resume();
  }

  /** Sends a statement and waits until `exchange` has taken the complete answer. */
  run(statement: Uint8Array, exchange: Exchange): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost.reason);
    return new Promise((resolve, reject) => {
      this.#pending = { exchange, resolve, reject };
      for (const packet of queryPackets(statement)) this.#stream.write(packet);
    });
  }

  /** Writes bytes of an exchange that talks back (LOCAL INFILE); resolves when the stream takes more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost.reason;
    if (this.#stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        this.#stream.off('drain', settle).off('close', settle);
        resolve();
      };
      this.#stream.on('drain', settle).on('close', settle);
    });
  }

  /** Closes at once. The exchange in flight, and whatever is asked later, rejects with `reason`. */
  end(reason: unknown = connectionLost()): void {
    this.#fail(reason);
    this.#stream.destroy();
  }

  #take(chunk: Uint8Array): void {
    const pending = this.#pending;
    if (pending === undefined) {
      this.end(new Error('the server sent something unasked'));
      return;
    }
    try {
      if (!pending.exchange.take(chunk)) return;
      this.#pending = undefined;
      pending.resolve();
    } catch (error) {
      if (!(error instanceof ServerError)) this.end(error);
      this.#pending = undefined;
      pending.reject(error);
    }
  }

  #fail(reason: unknown): void {
    this.#lost ??= { reason };
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(this.#lost.reason);
  }
}

const comQuery = 0x03;
export const maxPacketBytes = 0xffffff;

/** A statement in as many packets as its length needs; one of exactly the maximum is followed by an empty one. */
function queryPackets(statement: Uint8Array): Uint8Array[] {
  const body = Buffer.concat([Buffer.of(comQuery), statement]);
  const packets: Uint8Array[] = [];
  for (let at = 0, sequence = 0; at <= body.length; at += maxPacketBytes, sequence++) {
    const part = body.subarray(at, at + maxPacketBytes);
    packets.push(packetHeader(part.length, sequence), part);
  }
  return packets;
}

export function packetHeader(length: number, sequence: number): Buffer {
  return Buffer.of(length & 0xff, (length >> 8) & 0xff, length >> 16, sequence & 0xff);
}

function connectionLost(): Error {
  return Object.assign(new Error('the connection to the server was lost'), { code: 'CONNECTION_LOST' });
}
