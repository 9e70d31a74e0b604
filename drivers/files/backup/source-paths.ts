import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { TidemarkError } from '../../../core/error.ts';
import type { FileSettings } from '../settings.ts';
import { isAtOrBelow, isMounted, mountHint, notMounted } from '../system/mount.ts';
import { joinPath } from './node-reader.ts';

/** A path of the source as it was found, its folder without symbolic links. */
export interface SourcePath {
  readonly path: string;
  readonly isFolder: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
  readonly sizeBytes: number;
  readonly deviceId: bigint;
}

/** A folder above paths of the source, or such a path itself (`source`). */
export interface PathTree {
  readonly children: Map<string, PathTree>;
  source?: SourcePath;
}

export interface FoundPaths {
  readonly found: readonly SourcePath[];
  readonly missing: readonly MissingPath[];
}

export interface MissingPath {
  readonly path: string;
  readonly reason: string;
  /** The folder that it may have been. */
  readonly was: SourcePath;
}

/** Looks where the paths really are. One below another is left out. */
export async function findPaths(paths: readonly string[]): Promise<FoundPaths> {
  const found = new Map<string, SourcePath>();
  const missing: MissingPath[] = [];
  for (const path of paths) {
    try {
      const one = await findPath(path);
      found.set(one.path, one);
    } catch (error) {
      missing.push({ path, reason: (error as Error).message, was: await missingFolder(path) });
    }
  }
  const all = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const outer = all.filter(({ path }) => !all.some((other) => other.path !== path && isAtOrBelow(path, other.path)));
  return { found: outer, missing };
}

/** Throws SOURCE_UNREACHABLE where a mount is required and missing. */
export async function checkMounts({ paths, requireMount }: FileSettings, subject: string): Promise<void> {
  if (!requireMount) return;
  for (const path of paths)
    if (!(await isMounted(path)))
      throw new TidemarkError('SOURCE_UNREACHABLE', `${path} ${notMounted}`, { subject, hint: mountHint });
}

export function pathTree(found: readonly SourcePath[]): PathTree {
  const root: PathTree = { children: new Map() };
  for (const source of found) {
    let at = root;
    for (const name of source.path.split('/').filter((part) => part !== '')) {
      const child = at.children.get(name) ?? { children: new Map() };
      at.children.set(name, child);
      at = child;
    }
    at.source = source;
  }
  return root;
}

async function missingFolder(path: string): Promise<SourcePath> {
  const real = await realPathOf(path).catch(() => resolve(path));
  return { path: real, isFolder: true, isFile: false, isSymlink: false, sizeBytes: 0, deviceId: 0n };
}

async function realPathOf(path: string): Promise<string> {
  const clean = resolve(path);
  return clean === '/' ? '/' : joinPath(await realpath(dirname(clean)), basename(clean));
}

async function findPath(path: string): Promise<SourcePath> {
  const real = await realPathOf(path);
  const info = await lstat(real, { bigint: true });
  return {
    path: real,
    isFolder: info.isDirectory(),
    isFile: info.isFile(),
    isSymlink: info.isSymbolicLink(),
    sizeBytes: info.isFile() ? Number(info.size) : 0,
    deviceId: info.isDirectory() ? (await lstat(`${real}/`, { bigint: true })).dev : info.dev, // the slash mounts what is mounted on demand
  };
}
