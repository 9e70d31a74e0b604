import { setImmediate } from 'node:timers/promises';
import type { ByteRange, DestinationDriver, ObjectInfo, Store } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';

/** The toy destination: a drawer in memory. It stands for a bucket. */
export type Drawer = Map<string, Buffer>;

/** `drawers` are those that it can open, by label. */
export function drawerDriver(drawers: ReadonlyMap<string, Drawer>): DestinationDriver {
  return {
    kind: 'drawer',
    schema: {
      type: 'object',
      description: 'A drawer in memory.',
      properties: { label: { type: 'string', description: 'What is written on it.', examples: ['top'] } },
      required: ['label'],
      additionalProperties: false,
    },
    placeSettings: ['label'],
    async open({ label }) {
      const drawer = drawers.get(String(label));
      if (drawer === undefined) throw new TidemarkError('DESTINATION_UNREACHABLE', `there is no drawer ${label}`);
      return drawerStore(drawer);
    },
  };
}

export function drawerStore(drawer: Drawer): Store {
  return {
    async put(name, bytes, { ifAbsent = false, signal } = {}) {
      rejectOutside(name);
      await turnsOfTheLoop(signal);
      if (ifAbsent && drawer.has(name)) throw new TidemarkError('OBJECT_EXISTS', `${name} exists`);
      drawer.set(name, Buffer.from(bytes));
    },
    async get(name, range, signal) {
      signal?.throwIfAborted();
      return slice(find(drawer, name), range);
    },
    async head(name, signal) {
      signal?.throwIfAborted();
      return { name, sizeBytes: find(drawer, name).length };
    },
    list: (prefix, signal) => list(drawer, prefix, signal),
    async delete(names, signal) {
      signal?.throwIfAborted();
      names.forEach(rejectOutside);
      for (const name of names) drawer.delete(name);
    },
    async move(name, to, signal) {
      signal?.throwIfAborted();
      for (const one of [name, to]) rejectOutside(one);
      const bytes = find(drawer, name);
      if (drawer.has(to)) throw new TidemarkError('OBJECT_EXISTS', `${to} exists`);
      drawer.set(to, bytes);
      drawer.delete(name);
    },
    async probe(signal) {
      signal?.throwIfAborted();
      return [];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Long enough for somebody to change their mind. */
async function turnsOfTheLoop(signal: AbortSignal | undefined): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    signal?.throwIfAborted();
    await setImmediate();
  }
  signal?.throwIfAborted();
}

function rejectOutside(name: string): void {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw new TidemarkError('OBJECT_NOT_FOUND', `${JSON.stringify(name)} cannot be a name`);
  }
}

function find(drawer: Drawer, name: string): Buffer {
  const bytes = drawer.get(name);
  if (bytes === undefined) throw new TidemarkError('OBJECT_NOT_FOUND', `there is no ${name}`);
  return bytes;
}

function slice(bytes: Buffer, range: ByteRange | undefined): Uint8Array<ArrayBuffer> {
  const part = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
  return new Uint8Array(part);
}

async function* list(drawer: Drawer, prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
  for (const [name, bytes] of [...drawer]) {
    signal?.throwIfAborted();
    if (name.startsWith(prefix)) yield { name, sizeBytes: bytes.length };
  }
}
