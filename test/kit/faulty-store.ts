import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ByteRange, DriverProblem, ObjectInfo, ReadRoom, Store } from '../../core/driver/index.ts';

export type StoreMethod = 'put' | 'get' | 'head' | 'list' | 'delete' | 'move' | 'probe';

/** What goes wrong in one call of a method. */
export type Fault = { method: StoreMethod; match?: RegExp } & (
  | { kind: 'error'; error: Error }
  /** Does the work, then says that it failed: the answer was lost on the way. */
  | { kind: 'lost-answer'; error: Error }
  /** Never answers until the signal fires. */
  | { kind: 'stall' }
  /** `put`: the connection breaks after so many bytes, nothing is stored. `get`: gives only so many bytes, as a cut
   * transfer would. `list`: fails after so many objects. */
  | { kind: 'cut'; after: number; error?: Error }
  /** `get`: one bit of the byte at this place is wrong. */
  | { kind: 'flip'; at: number }
);

/** A store in which planned calls fail, first planned first hit. The test fails when a fault was never hit. */
export function faultyStore(t: TestContext, inner: Store, ...faults: Fault[]): FaultyStore {
  const store = new FaultyStore(inner, ...faults);
  t.after(() => store.assertAllHit());
  return store;
}

/** `faultyStore` without the promise that every fault was hit; ask `assertAllHit` yourself. */
export class FaultyStore implements Store {
  readonly #inner: Store;
  readonly #faults: Fault[] = [];

  constructor(inner: Store, ...faults: Fault[]) {
    this.#inner = inner;
    this.#faults.push(...faults);
  }

  plan(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  assertAllHit(): void {
    const left = this.#faults.map((fault) => `${fault.kind} in ${fault.method} ${fault.match ?? ''}`);
    assert.deepEqual(left, [], 'planned faults that nothing ran into');
  }

  async put(name: string, bytes: Uint8Array, options: { ifAbsent?: boolean; signal?: AbortSignal } = {}) {
    const fault = this.#take('put', name);
    if (fault?.kind === 'cut') throw fault.error ?? new Error(`cut after ${fault.after} of ${bytes.length} bytes`);
    return this.#apply(fault, options.signal, () => this.#inner.put(name, bytes, options));
  }

  async get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    const fault = this.#take('get', name);
    const bytes = await this.#apply(fault, signal, () => this.#inner.get(name, range, signal, room));
    if (fault?.kind === 'cut') return room ? bytes.subarray(0, fault.after) : bytes.slice(0, fault.after);
    if (fault?.kind === 'flip') bytes[fault.at]! ^= 1;
    return bytes;
  }

  async head(name: string, signal?: AbortSignal): Promise<ObjectInfo> {
    return this.#apply(this.#take('head', name), signal, () => this.#inner.head(name, signal));
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    const fault = this.#take('list', prefix);
    await this.#apply(fault, signal, async () => undefined);
    let listed = 0;
    for await (const info of this.#inner.list(prefix, signal)) {
      if (fault?.kind === 'cut' && listed++ >= fault.after) throw fault.error ?? new Error('the list was cut');
      yield info;
    }
  }

  async delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#apply(this.#take('delete', names.join(' ')), signal, () => this.#inner.delete(names, signal));
  }

  async move(name: string, to: string, signal?: AbortSignal): Promise<void> {
    return this.#apply(this.#take('move', to), signal, () => this.#inner.move(name, to, signal));
  }

  async probe(signal?: AbortSignal): Promise<readonly DriverProblem[]> {
    return this.#apply(this.#take('probe', ''), signal, () => this.#inner.probe(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #take(method: StoreMethod, name: string): Fault | undefined {
    const at = this.#faults.findIndex((fault) => fault.method === method && (fault.match?.test(name) ?? true));
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0];
  }

  async #apply<T>(fault: Fault | undefined, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (fault?.kind === 'error') throw fault.error;
    if (fault?.kind === 'stall') await untilAborted(signal);
    const result = await work();
    if (fault?.kind === 'lost-answer') throw fault.error;
    return result;
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  assert(signal, 'a stall was planned for a call without a signal, which would hang for ever');
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
