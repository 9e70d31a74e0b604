import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, type Owner } from './scope.ts';

/** What goes wrong in one direction of a connection. */
export interface Flow {
  /**
   * Where `fault` begins: so many bytes into the connection, or in front of the first of these words (in the clear, in one
   * piece). From the start when not given.
   */
  readonly at?: number | string;
  /**
   * `stall`: nothing more is taken, so that the sender's buffers fill; `lose`: everything is taken and thrown away, as on a
   * connection that is half open; `end` and `reset`: both sides see FIN or RST.
   */
  readonly fault?: 'stall' | 'lose' | 'end' | 'reset';
  /** Each piece waits so long. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
}

/** What goes wrong on connections that begin while this is set; with nothing in it they pass untouched. */
export interface Faults {
  /** `silent`: accepted, and nobody ever talks; `reset`: accepted and cut off. */
  readonly accept?: 'silent' | 'reset';
  readonly toServer?: Flow;
  readonly toClient?: Flow;
}

export interface TcpProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** For connections from now on. */
  set(faults: Faults): void;
  /** Cuts all that are open. */
  cut(how: 'end' | 'reset'): void;
  /** How many clients are connected now, and how many ever were. */
  readonly open: number;
  readonly total: number;
  /** How many have come to their fault. */
  readonly failed: number;
  /** Refuses new connections and cuts the open ones. */
  close(): Promise<void>;
}

/** A way to `target` over a port of the loopback, on which connections fail as told. Gone with the test. */
export async function startTcpProxy(t: Owner, target: NetConnectOpts, first: Faults = {}): Promise<TcpProxy> {
  let faults = first;
  let total = 0;
  let failed = 0;
  const open = new Set<Link>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    total++;
    if (faults.accept === 'reset') {
      failed++;
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, faults.accept === 'silent' ? undefined : connect({ ...target, allowHalfOpen: true }));
    open.add(link);
    client.once('close', () => open.delete(link));
    link.run(faults, () => failed++);
  });
  const cut = (how: 'end' | 'reset') => {
    for (const link of open) link.close(how);
  };
  const close = async () => {
    if (!server.listening) return;
    server.close();
    cut('reset');
    await once(server, 'close');
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(t, close);
  return {
    host: '127.0.0.1',
    port: (server.address() as { port: number }).port,
    set: (next) => {
      faults = next;
    },
    cut,
    get open() {
      return open.size;
    },
    get total() {
      return total;
    },
    get failed() {
      return failed;
    },
    close,
  };
}

/** A client's connection and the server's that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket | undefined;
  /** In one direction: when the other ends then, all does. */
  #isStalled = false;

  constructor(client: Socket, server: Socket | undefined) {
    this.#client = client;
    this.#server = server;
    for (const socket of [client, server]) socket?.on('error', () => this.close('reset'));
    client.once('close', () => this.close('end'));
  }

  run({ toServer = {}, toClient = {} }: Faults, onFault: () => void): void {
    if (this.#server === undefined) {
      onFault();
      this.#client.resume().once('end', () => this.close('end'));
      return;
    }
    this.#client.setNoDelay();
    this.#server.setNoDelay();
    void this.#pump(this.#client, this.#server, toServer, onFault);
    void this.#pump(this.#server, this.#client, toClient, onFault);
  }

  close(how: 'end' | 'reset'): void {
    for (const socket of [this.#client, this.#server]) {
      const canReset = socket instanceof Socket && socket.remoteFamily !== undefined && !socket.destroyed;
      if (how === 'reset' && canReset) socket.resetAndDestroy();
      else socket?.destroy(); // a socket of the file system knows no reset
    }
  }

  async #pump(from: Socket, to: Socket, flow: Flow, onFault: () => void): Promise<void> {
    const place = new Place(flow.at ?? 0, onFault);
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const before = flow.fault === undefined ? chunk.length : place.before(chunk);
        if (before > 0) await this.#pass(chunk.subarray(0, before), to, flow);
        if (before === chunk.length || flow.fault === 'lose') continue;
        if (flow.fault === 'stall') this.#isStalled = true;
        else this.close(flow.fault!);
        return;
      }
      if (this.#isStalled) this.close('end');
      else to.end();
    } catch {
      this.close('reset');
    }
  }

  async #pass(bytes: Buffer, to: Socket, { delayMs, bytesPerSecond }: Flow): Promise<void> {
    if (delayMs !== undefined) await delay(delayMs, undefined, { ref: false });
    const step = bytesPerSecond === undefined ? bytes.length : Math.max(1, Math.ceil(bytesPerSecond / 20));
    for (let at = 0; at < bytes.length; at += step) {
      const isTaken = to.write(bytes.subarray(at, at + step));
      if (bytesPerSecond !== undefined) await delay(50, undefined, { ref: false });
      if (!isTaken && !to.destroyed) await Promise.race([once(to, 'drain'), once(to, 'close')]);
    }
  }
}

/** Finds in a stream the place at which the fault begins. */
class Place {
  readonly #at: number | string;
  #passed = 0;
  #isReached = false;
  readonly #onReached: () => void;

  constructor(at: number | string, onReached: () => void) {
    this.#at = at;
    this.#onReached = onReached;
  }

  /** How many bytes of this piece still pass. */
  before(chunk: Buffer): number {
    if (this.#isReached) return 0;
    const end = typeof this.#at === 'number' ? this.#at - this.#passed : chunk.indexOf(this.#at);
    this.#passed += chunk.length;
    this.#isReached = end >= 0 && end < chunk.length;
    if (!this.#isReached) return chunk.length;
    this.#onReached();
    return end;
  }
}
