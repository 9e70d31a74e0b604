import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteRange, DriverProblem, ObjectInfo, ReadRoom, Store } from '../../../core/driver/index.ts';

/** When a process dies: before the change that is counted `at` (from 1 on), halfway through it, or right after it. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'half' | 'after';
}

/** A store of a folder, with which the process kills itself (SIGKILL) at one of its changes. */
export class DyingStore implements Store {
  readonly #inner: Store;
  readonly #folder: string;
  readonly #death: Death;
  #changes = 0;

  constructor(inner: Store, folder: string, death: Death) {
    this.#inner = inner;
    this.#folder = folder;
    this.#death = death;
  }

  async put(name: string, bytes: Uint8Array, options?: { ifAbsent?: boolean; signal?: AbortSignal }): Promise<void> {
    const half = async () => {
      const path = join(this.#folder, `${name}-tmp-0123456789abcdef`); // as the local store names it
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes.subarray(0, bytes.length / 2));
    };
    await this.#change(() => this.#inner.put(name, bytes, options), half);
  }

  async delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    const half = () => this.#inner.delete(names.slice(0, names.length / 2), signal);
    await this.#change(() => this.#inner.delete(names, signal), half);
  }

  async move(name: string, to: string, signal?: AbortSignal): Promise<void> {
    const half = async () => {
      await mkdir(dirname(join(this.#folder, to)), { recursive: true });
      await link(join(this.#folder, name), join(this.#folder, to));
    };
    await this.#change(() => this.#inner.move(name, to, signal), half);
  }

  async #change(whole: () => Promise<void>, half: () => Promise<void>): Promise<void> {
    this.#changes += 1;
    const dies = this.#changes === this.#death.at ? this.#death.when : undefined;
    if (dies === 'half') await half();
    if (dies === 'before' || dies === 'half') await killSelf();
    await whole();
    if (dies === 'after') await killSelf();
  }

  get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    return this.#inner.get(name, range, signal, room);
  }

  head(name: string, signal?: AbortSignal): Promise<ObjectInfo> {
    return this.#inner.head(name, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, signal);
  }

  probe(signal?: AbortSignal): Promise<readonly DriverProblem[]> {
    return this.#inner.probe(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

function killSelf(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}
