import type { Store } from '../driver/index.ts';
import { hasCode } from '../error.ts';

/** Where damaged objects go: restic passes over folders that it does not know. */
export const damagedFolder = 'damaged/';

/**
 * Moves an object to `damaged/` as it is: what a disk refuses to read now it may give another time. Beside what went there
 * before it under this name. May be done again.
 */
export async function setAside(store: Store, name: string, signal: AbortSignal): Promise<void> {
  for (let number = 1; ; number++) {
    const isTaken = await isTakenFor(store, name, `${damagedFolder}${name}${number === 1 ? '' : `.${number}`}`, signal);
    if (!isTaken) return;
  }
}

/** Moves it, unless the new name is taken. */
async function isTakenFor(store: Store, name: string, to: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.move(name, to, signal);
    return false;
  } catch (error) {
    if (!hasCode(error, 'OBJECT_NOT_FOUND', 'OBJECT_EXISTS')) throw error;
    return error.code === 'OBJECT_EXISTS';
  }
}

/** The object, with zeros where the disk refuses to read; undefined when it is not there. */
export async function readAll(
  store: Store,
  name: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await store.get(name, undefined, signal);
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return readInPieces(store, name, (await store.head(name, signal)).sizeBytes, signal);
  }
}

const pieceBytes = 64 * 1024;

export async function readInPieces(
  store: Store,
  name: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(sizeBytes);
  for (let offset = 0; offset < sizeBytes; offset += pieceBytes) {
    try {
      whole.set(await store.get(name, { offset, length: Math.min(pieceBytes, sizeBytes - offset) }, signal), offset);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    }
  }
  return whole;
}
