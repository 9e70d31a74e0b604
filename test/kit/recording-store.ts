import type { ByteRange, DriverProblem, ObjectInfo, ReadRoom, Store } from '../../core/driver/index.ts';
import type { StoreMethod } from './faulty-store.ts';

export interface StoreCall {
  readonly method: StoreMethod;
  readonly name: string;
  readonly bytes: number;
}

/** A store that remembers its calls, for I/O budgets: `store.count('put', /^data\//)`. */
export class RecordingStore implements Store {
  readonly calls: StoreCall[] = [];
  readonly #inner: Store;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  count(method: StoreMethod, match = /(?:)/): number {
    return this.calls.filter((call) => call.method === method && match.test(call.name)).length;
  }

  bytes(method: StoreMethod, match = /(?:)/): number {
    const calls = this.calls.filter((call) => call.method === method && match.test(call.name));
    return calls.reduce((sum, call) => sum + call.bytes, 0);
  }

  async put(name: string, bytes: Uint8Array, options?: { ifAbsent?: boolean; signal?: AbortSignal }): Promise<void> {
    this.calls.push({ method: 'put', name, bytes: bytes.length });
    await this.#inner.put(name, bytes, options);
  }

  async get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    const bytes = await this.#inner.get(name, range, signal, room);
    this.calls.push({ method: 'get', name, bytes: bytes.length });
    return bytes;
  }

  async head(name: string, signal?: AbortSignal): Promise<ObjectInfo> {
    this.calls.push({ method: 'head', name, bytes: 0 });
    return this.#inner.head(name, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    this.calls.push({ method: 'list', name: prefix, bytes: 0 });
    return this.#inner.list(prefix, signal);
  }

  async delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    this.calls.push({ method: 'delete', name: names.join(' '), bytes: 0 });
    await this.#inner.delete(names, signal);
  }

  async move(name: string, to: string, signal?: AbortSignal): Promise<void> {
    this.calls.push({ method: 'move', name: `${name} ${to}`, bytes: 0 });
    await this.#inner.move(name, to, signal);
  }

  async freeBytes(signal?: AbortSignal): Promise<number | undefined> {
    return await this.#inner.freeBytes?.(signal);
  }

  async probe(signal?: AbortSignal): Promise<readonly DriverProblem[]> {
    this.calls.push({ method: 'probe', name: '', bytes: 0 });
    return this.#inner.probe(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
