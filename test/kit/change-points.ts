import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** A moment in the changing of files: before a call that changes them, or when it has written half of its bytes. */
export interface ChangePoint {
  readonly call: 'open' | 'write' | 'mkdir' | 'rename' | 'link' | 'unlink' | 'rm';
  readonly at: 'before' | 'half';
  readonly path: string;
}

type Handle = fs.promises.FileHandle;
type Call = (path: string, ...rest: unknown[]) => Promise<unknown>;

/**
 * Calls `onPoint` at every moment at which this process changes files below `folder` by `node:fs/promises`: whatever
 * happens there, happens between two system calls that can be seen from outside. Gives what ends it.
 */
export function watchChanges(folder: string, onPoint: (point: ChangePoint) => void): () => void {
  const promises = fs.promises as unknown as Record<ChangePoint['call'], Call>;
  const before = { ...promises };
  const isBelow = (path: unknown): path is string => typeof path === 'string' && path.startsWith(folder);
  for (const call of ['mkdir', 'rename', 'link', 'unlink', 'rm'] as const) {
    promises[call] = (path, ...rest) => {
      if (isBelow(path)) onPoint({ call, at: 'before', path });
      return before[call](path, ...rest);
    };
  }
  promises.open = async (path, ...rest) => {
    const makes = isBelow(path) && typeof rest[0] === 'string' && /[wax+]/.test(rest[0]);
    if (makes) onPoint({ call: 'open', at: 'before', path });
    const handle = (await before.open(path, ...rest)) as Handle;
    return makes ? watchWrites(handle, path, onPoint) : handle;
  };
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, before);
    syncBuiltinESMExports();
  };
}

function watchWrites(handle: Handle, path: string, onPoint: (point: ChangePoint) => void): Handle {
  const write = handle.write.bind(handle) as (
    bytes: Uint8Array,
    from: number,
    length: number,
  ) => Promise<{ bytesWritten: number }>;
  const watched = async (bytes: Uint8Array, from = 0) => {
    onPoint({ call: 'write', at: 'before', path });
    const half = (bytes.length - from) >> 1;
    const first = await write(bytes, from, half);
    if (first.bytesWritten < half) return first;
    onPoint({ call: 'write', at: 'half', path });
    const rest = await write(bytes, from + half, bytes.length - from - half);
    return { bytesWritten: half + rest.bytesWritten };
  };
  return Object.assign(handle, { write: watched });
}
