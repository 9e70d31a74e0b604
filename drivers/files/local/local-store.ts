import { randomBytes } from 'node:crypto';
import { constants, type Dirent, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unlessAborted } from '../../../core/abort.ts';
import type { Clock } from '../../../core/clock.ts';
import type { ByteRange, DriverProblem, ObjectInfo, ReadRoom, Store } from '../../../core/driver/index.ts';
import { asTidemarkError, TidemarkError } from '../../../core/error.ts';
import { isBadSector } from './bad-sector.ts';
import {
  codeOf,
  makeFolders,
  readFully,
  renameIfAbsent,
  syncFolder,
  unlinkIfPresent,
  writeDurably,
} from './durable-file.ts';
import { probePrefix, RootGuard, type RootGuardOptions } from './root-guard.ts';

export interface LocalStoreOptions extends RootGuardOptions {
  readonly clock: Clock;
}

/** As restic's own, so that either ignores the other's: `<name>-tmp-<random>`. Ours have 16 hex digits. */
const temporaryName = /-tmp-[0-9a-zA-Z]+$/;
const ourTemporaryName = /-tmp-[0-9a-f]{16}$/;
/** Nobody writes one object for a day: an older temporary is what a crash left. */
const staleTemporaryMs = 24 * 3600 * 1000;
const statsAtOnce = 16;

/**
 * Objects as files below a folder. An object is written under a temporary name, fsynced, renamed, and its folder
 * fsynced. `list` removes temporaries of ours that are older than a day. The root folder is made by the first `put`.
 * Once it was seen, nothing is created, and nothing counts as missing, when it is another folder or gone:
 * DESTINATION_UNREACHABLE, and from the start where `requireMount` misses its mount.
 */
export class LocalStore implements Store {
  readonly #options: LocalStoreOptions;
  readonly #guard: RootGuard;

  constructor(options: LocalStoreOptions) {
    this.#options = options;
    this.#guard = new RootGuard(options);
  }

  put(name: string, bytes: Uint8Array, options: { ifAbsent?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    return this.#run(options.signal, name, async () => {
      const target = this.#pathOf(name);
      await this.#guard.check();
      const temporary = `${target}-tmp-${randomBytes(8).toString('hex')}`;
      const handle = await this.#inFolder(temporary, () => open(temporary, 'wx', 0o600));
      try {
        await writeDurably(handle, bytes, options.signal);
        options.signal?.throwIfAborted();
        if (options.ifAbsent) await renameIfAbsent(temporary, target, name);
        else await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(target));
    });
  }

  get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    return this.#run(signal, name, () =>
      this.#read(name, range, room).catch((error) => this.#failReading(error, name)),
    );
  }

  async #read<Memory extends ArrayBufferLike>(
    name: string,
    range: ByteRange | undefined,
    room: ReadRoom<Memory> | undefined,
  ): Promise<Uint8Array<Memory | ArrayBuffer>> {
    const handle = await openToRead(this.#pathOf(name), name);
    try {
      const info = await handle.stat();
      rejectOther(info, name);
      const offset = range?.offset ?? 0;
      const length = Math.max(0, Math.min(range?.length ?? info.size, info.size - offset));
      return await readFully(handle, offset, length, room);
    } finally {
      await handle.close();
    }
  }

  async #failReading(error: unknown, name: string): Promise<never> {
    if (!(await isBadSector(error, this.#options.path))) throw error;
    await this.#guard.check(); // a disk that is gone gives back nothing at all
    throw new TidemarkError('REPOSITORY_CORRUPT', `${name} cannot be read: ${(error as Error).message}`, {
      hint: 'The disk does not give back all of this file: copy what it still gives to another one, and replace it.',
      cause: error,
    });
  }

  head(name: string, signal?: AbortSignal): Promise<ObjectInfo> {
    return this.#run(signal, name, async () => {
      const info = await stat(this.#pathOf(name));
      rejectOther(info, name);
      return { name, sizeBytes: info.size };
    });
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    if (prefix !== '') this.#pathOf(prefix.replace(/\/$/, ''));
    const folders = [prefix];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const entries = await this.#run(signal, folder, () => this.#entries(folder));
      const files = entries.filter((entry) => !entry.isDirectory());
      for (const entry of entries) if (entry.isDirectory()) folders.push(`${folder}${entry.name}/`);
      for (let at = 0; at < files.length; at += statsAtOnce) {
        const names = files.slice(at, at + statsAtOnce).map((entry) => `${folder}${entry.name}`);
        const infos = await this.#run(signal, folder, () => Promise.all(names.map((name) => this.#listed(name))));
        for (const info of infos) if (info) yield info;
      }
    }
  }

  delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#run(signal, names[0] ?? '', async () => {
      const paths = names.map((name) => this.#pathOf(name));
      await this.#guard.check();
      const folders = new Set<string>();
      for (const path of paths) {
        signal?.throwIfAborted();
        if (await unlinkIfPresent(path)) folders.add(dirname(path));
      }
      // A deletion that a power cut undoes would bring back a snapshot whose packs are gone.
      for (const folder of folders) {
        await syncFolder(folder).catch(async (error) => {
          if (codeOf(error) !== 'ENOENT') throw error;
          await this.#guard.check(); // an empty folder may be taken away, a file system may not
        });
      }
    });
  }

  move(name: string, to: string, signal?: AbortSignal): Promise<void> {
    return this.#run(signal, name, async () => {
      const [path, target] = [this.#pathOf(name), this.#pathOf(to)];
      await this.#guard.check();
      if ((await stat(path)).isDirectory()) throw notFound(name);
      await this.#inFolder(target, () => renameIfAbsent(path, target, to));
      await syncFolder(dirname(target));
      await syncFolder(dirname(path));
    });
  }

  probe(signal?: AbortSignal): Promise<readonly DriverProblem[]> {
    return this.#guard.leavingNoFolders(() => this.#probe(signal));
  }

  async #probe(signal?: AbortSignal): Promise<readonly DriverProblem[]> {
    const name = `${probePrefix}${randomBytes(8).toString('hex')}`;
    try {
      await this.put(name, Buffer.from('tidemark'), { ifAbsent: true, signal });
      const stored = await this.get(name, undefined, signal);
      await this.delete([name], signal);
      if (Buffer.from(stored).toString() === 'tidemark') return [];
      return [{ severity: 'error', summary: `${this.#options.path} gives back other bytes than were written` }];
    } catch (error) {
      signal?.throwIfAborted();
      const { message, hint } = asTidemarkError(error);
      return [{ severity: 'error', summary: message, hint }];
    }
  }

  freeBytes(signal?: AbortSignal): Promise<number> {
    return this.#run(signal, '', async () => {
      const { bavail, bsize } = await statfs(this.#options.path);
      return bavail * bsize;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Looks at the mount now, so that opening a destination already tells. */
  async open(): Promise<this> {
    await this.#run(undefined, '', () => this.#guard.check());
    return this;
  }

  #pathOf(name: string): string {
    const parts = name.split('/');
    const unsafe = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
    if (unsafe || temporaryName.test(name)) {
      throw new TidemarkError('BUG', `${JSON.stringify(name)} cannot be the name of an object`);
    }
    return join(this.#options.path, name);
  }

  /** Several times: the probe of another process may take an empty folder away before the file is in it. */
  async #inFolder<T>(path: string, create: () => Promise<T>, tries = 5): Promise<T> {
    try {
      return await create();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === 0) throw error;
      await this.#guard.check();
      const root = this.#guard.isKnown ? this.#options.path : undefined;
      await makeFolders(dirname(path), root).catch((failure) => {
        if (codeOf(failure) !== 'ENOENT' || root !== undefined) throw failure;
      });
      return this.#inFolder(path, create, tries - 1);
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    await this.#guard.check();
    try {
      const entries = await readdir(join(this.#options.path, folder), { withFileTypes: true });
      const visible: Dirent[] = [];
      for (const entry of entries) {
        if (folder === '' && entry.name === 'lost+found') continue;
        if (!temporaryName.test(entry.name)) visible.push(entry);
        else if (ourTemporaryName.test(entry.name)) await this.#removeIfStale(join(entry.parentPath, entry.name));
      }
      return visible;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
      throw error;
    }
  }

  /** Only tidies: a temporary that cannot be removed is no reason to fail a list. */
  async #removeIfStale(path: string): Promise<void> {
    const info = await stat(path).catch(() => undefined);
    if (!info || this.#options.clock.now().getTime() - info.mtimeMs < staleTemporaryMs) return;
    await rm(path, { force: true }).catch(() => undefined);
  }

  async #listed(name: string): Promise<ObjectInfo | undefined> {
    try {
      const info = await stat(join(this.#options.path, name));
      return info.isFile() ? { name, sizeBytes: info.size } : undefined;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Runs `work`, gives up waiting as soon as the signal fires, and translates what it throws. */
  async #run<T>(signal: AbortSignal | undefined, name: string, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const result = work().catch((error) => this.#fail(error, name));
    return signal ? unlessAborted(result, signal) : result;
  }

  async #fail(error: unknown, name: string): Promise<never> {
    if (error instanceof TidemarkError) throw error.at(this.#options.subject);
    if (codeOf(error) === '' || (error as Error).name === 'AbortError') throw error;
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error))) {
      await this.#guard.check().catch((again) => {
        throw again instanceof TidemarkError ? again : translate(again, this.#options);
      });
      throw notFound(name).at(this.#options.subject);
    }
    throw translate(error as NodeJS.ErrnoException, this.#options);
  }
}

/** Returns at once where a pipe stands in the place of the file: nobody may ever write to it. */
async function openToRead(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENXIO') rejectOther(await stat(path), name); // a socket, which cannot be opened
    throw error;
  }
}

/** A folder is no object; whatever else is no file has taken the place of one. */
function rejectOther(info: Stats, name: string): void {
  if (info.isFile()) return;
  if (info.isDirectory()) throw notFound(name);
  const what = info.isFIFO() ? 'a pipe' : info.isSocket() ? 'a socket' : 'a device';
  throw new TidemarkError('REPOSITORY_CORRUPT', `${name} is ${what}, where a file should be`, {
    hint: 'Find out who put it there and move it away; bring the file back from a copy of the repository, if there was one.',
  });
}

function notFound(name: string): TidemarkError {
  return new TidemarkError('OBJECT_NOT_FOUND', `there is no object ${name}`);
}

function translate(error: NodeJS.ErrnoException, { path, subject }: LocalStoreOptions): TidemarkError {
  const details = { subject, cause: error };
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TidemarkError('DESTINATION_FULL', `no space left at ${path}`, {
        ...details,
        hint: 'Free or add space there; what was being written has been removed.',
      });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new TidemarkError('DESTINATION_DENIED', `${path} cannot be used: ${error.message}`, {
        ...details,
        hint: 'Give the user that runs tidemark read and write access to the folder, on a file system mounted writable.',
      });
    default:
      return new TidemarkError('DESTINATION_UNREACHABLE', `${path} failed: ${error.message}`, details);
  }
}
