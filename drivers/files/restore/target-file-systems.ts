import { constants } from 'node:fs';
import { TidemarkError } from '../../../core/error.ts';
import type { Native } from '../system/native.ts';

interface FileSystem {
  readonly descriptor: number;
  /** The first folder of it that was written into. */
  readonly path: string;
}

/**
 * The file systems that a restore writes to: any folder of the target may be a mount point. Each is held open from before the
 * first byte is written to it, as Linux tells a descriptor what went wrong since it was opened. One per thread.
 */
export class TargetFileSystems {
  readonly #native: Native;
  readonly #byDevice = new Map<bigint, FileSystem>();

  constructor(native: Native) {
    this.#native = native;
  }

  /** To be called with each folder before anything is written into it, or set on it; of an open one, which stays the caller's. */
  meet(folder: number, path: string): void {
    const { deviceId } = this.#native.stat(folder, '');
    if (this.#byDevice.has(deviceId)) return;
    const descriptor = this.#open(folder);
    if (descriptor !== undefined) this.#byDevice.set(deviceId, { descriptor, path });
  }

  /** Waits until the disks have everything; TARGET_FAILED when one cannot keep it. Below Linux 5.8 none says so. */
  sync(): void {
    for (const { descriptor, path } of this.#byDevice.values()) {
      try {
        this.#native.syncFileSystem(descriptor);
      } catch (error) {
        throw notKept(path, error as Error);
      }
    }
  }

  close(): void {
    for (const { descriptor } of this.#byDevice.values()) this.#native.close(descriptor);
    this.#byDevice.clear();
  }

  /** Undefined for a folder that may be passed and not be read, as those above a path often are. */
  #open(folder: number): number | undefined {
    try {
      return this.#native.open(folder, '.', constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
      return undefined;
    }
  }
}

function notKept(path: string, cause: Error): TidemarkError {
  return new TidemarkError('TARGET_FAILED', `${path.toWellFormed()} cannot keep what was written: ${cause.message}`, {
    hint: 'The disk below is broken or full, and files may lack bytes: restore again, to another one.',
    cause,
  });
}
