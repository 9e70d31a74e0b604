import { readdir, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TidemarkError } from '../../../core/error.ts';
import { isMounted, mountHint, notMounted } from '../system/mount.ts';
import { codeOf } from './durable-file.ts';

export interface RootGuardOptions {
  /** Absolute path of the root folder of a store. */
  readonly path: string;
  /** The mount that holds it must not be `/`. */
  readonly requireMount: boolean;
  readonly subject: string;
}

/**
 * Sees to it that the root of a store stays what it was when it was first seen. A file system that is unmounted leaves
 * an empty folder under the same path: what is not there must not count as missing, and nothing must be made in it.
 */
export class RootGuard {
  readonly #options: RootGuardOptions;
  #root: { readonly dev: bigint; readonly ino: bigint } | undefined;

  constructor(options: RootGuardOptions) {
    this.#options = options;
  }

  /** Whether the root was seen. */
  get isKnown(): boolean {
    return this.#root !== undefined;
  }

  /** Throws DESTINATION_UNREACHABLE when the mount is required and missing, or the root is another folder or gone. */
  async check(): Promise<void> {
    await this.#requireMount();
    const now = await statIfPresent(this.#options.path);
    if (this.#root === undefined) this.#root = (await isInUse(this.#options.path)) ? now : undefined;
    else if (now?.dev !== this.#root.dev || now.ino !== this.#root.ino) throw this.#unreachable(unmounted, remountHint);
  }

  /** Runs `work` and takes away again what folders it made for the root, so that only looking leaves nothing. */
  async leavingNoFolders<T>(work: () => Promise<T>): Promise<T> {
    const missing = await missingFolders(this.#options.path);
    try {
      return await work();
    } finally {
      for (const folder of missing) await rmdir(folder).catch(() => undefined);
      if (missing.length > 0) this.#root = undefined;
    }
  }

  async #requireMount(): Promise<void> {
    const { path, requireMount } = this.#options;
    if (requireMount && !(await isMounted(path))) {
      throw this.#unreachable(notMounted, mountHint);
    }
  }

  #unreachable(what: string, hint: string): TidemarkError {
    const { path, subject } = this.#options;
    return new TidemarkError('DESTINATION_UNREACHABLE', `${path} ${what}`, { subject, hint });
  }
}

const unmounted = 'is not the folder any more that it was: its file system was unmounted, or somebody moved it';
const remountHint =
  'Mount it again. `requireMount: true` on the destination keeps tidemark from beginning without the mount.';

/** Of the object with which `probe` tries a store. */
export const probePrefix = 'tidemark-probe-';

/** What another process made for a probe of its own it takes away again, which is no loss of a file system. */
async function isInUse(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  return names.some((name) => !name.startsWith(probePrefix));
}

/** The folders of a path that are not there, innermost first. */
async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = path; (await statIfPresent(folder)) === undefined; folder = dirname(folder)) missing.push(folder);
  return missing;
}

async function statIfPresent(path: string): Promise<{ dev: bigint; ino: bigint } | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return { dev, ino };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
