import type { Duplex } from 'node:stream';
import { ServerError } from './server-error.ts';

/** The conversation with the server that follows a command. */
export interface Exchange {
  /**
   * Takes bytes that the server sent, in any pieces, which are not to be kept; true when its answer is complete, or enough
   * of one without end: what the server says after that closes the connection. A promise holds the server back until it
   * has resolved; the bytes are there until then. Throws `ServerError` when the answer ended with an error: the
   * connection stays usable. After any other exception it is closed.
   */
  take(chunk: Uint8Array): boolean | Promise<boolean>;
}

/** The commands of the protocol that this driver sends, by their first byte. */
export const command = { query: 0x03, reset: 0x1f } as const;

/**
 * The protocol of MySQL over a stream on which somebody else (mysql2) has logged in. One exchange at a time. Rows reach
 * their exchange as raw bytes, without objects per row.
 */
export class Wire {
  readonly #stream: Duplex;
  #pending: Pending | undefined;
  #lost: { readonly reason: unknown } | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#fail(connectionLost()));
    stream.resume();
  }

  /** Sends a command with what belongs to it and waits until `exchange` has taken the complete answer. */
  run(command: number, body: Uint8Array, exchange: Exchange): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost.reason);
    return new Promise((resolve, reject) => {
      this.#pending = { exchange, resolve, reject };
      for (const packet of commandPackets(command, body)) this.#stream.write(packet);
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
      const taken = pending.exchange.take(chunk);
      if (typeof taken !== 'boolean') void this.#wait(pending, taken);
      else if (taken) this.#settle(pending);
    } catch (error) {
      this.#refuse(pending, error);
    }
  }

  async #wait(pending: Pending, taken: Promise<boolean>): Promise<void> {
    this.#stream.pause();
    try {
      if (await taken) this.#settle(pending);
    } catch (error) {
      this.#refuse(pending, error);
    }
    this.#stream.resume();
  }

  #settle(pending: Pending): void {
    if (this.#pending === pending) this.#pending = undefined;
    pending.resolve();
  }

  #refuse(pending: Pending, error: unknown): void {
    if (!(error instanceof ServerError)) this.end(error);
    if (this.#pending === pending) this.#pending = undefined;
    pending.reject(error);
  }

  #fail(reason: unknown): void {
    this.#lost ??= { reason };
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(this.#lost.reason);
  }
}

interface Pending {
  readonly exchange: Exchange;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export const maxPacketBytes = 0xffffff;

/** A command in as many packets as its length needs; one of exactly the maximum is followed by an empty one. */
function commandPackets(command: number, body: Uint8Array): Uint8Array[] {
  const all = Buffer.concat([Buffer.of(command), body]);
  const packets: Uint8Array[] = [];
  for (let at = 0, sequence = 0; at <= all.length; at += maxPacketBytes, sequence++) {
    const part = all.subarray(at, at + maxPacketBytes);
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
