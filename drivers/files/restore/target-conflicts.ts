import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupReader, RestoreRequest } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { firstOf } from '../../../core/first-of.ts';
import { decodeName, encodeName } from '../../../core/path-bytes.ts';
import { childPath, isTemporary, type RestoreTarget } from './restore-task.ts';
import { type RestoreFolder, restoreSteps } from './restore-walk.ts';

const shownNames = 20;

/**
 * Looks through a target that may be overwritten for what is not: a folder with contents where the backup has a file
 * (TARGET_NOT_EMPTY), a symbolic link where it has a folder (TARGET_UNSAFE). All of them are told, before anything is
 * written. Folders that the target does not have are not walked. Gives what restores that were killed left there.
 */
export async function rejectConflicts(
  { only, signal }: RestoreRequest,
  backup: BackupReader,
  { root, leaveOut }: Pick<RestoreTarget, 'root' | 'leaveOut'>,
): Promise<readonly string[]> {
  const listings = new Listings(root);
  const full: string[] = [];
  const links = new Set<string>();
  const mayEnter = (folder: RestoreFolder) => {
    const kind = listings.kindOf(folder.path);
    if (folder.selected && kind === 'link') links.add(folder.path);
    return kind === 'folder' || (kind === 'link' && !folder.selected);
  };
  for await (const step of restoreSteps(backup, only, leaveOut, mayEnter)) {
    signal.throwIfAborted();
    if (step.kind === 'leave') listings.forget(step.folder.path);
    const wanted = step.kind === 'entry' || (step.kind !== 'leave' && step.folder.selected);
    const link = wanted ? linkAbove(listings, step.folder) : undefined;
    if (link !== undefined) links.add(link);
    if (step.kind !== 'entry' || link !== undefined) continue;
    const path = childPath(step.folder.path, step.node.name);
    if (listings.kindOf(path) === 'folder' && !listings.isEmpty(path)) full.push(path);
  }
  if (links.size > 0) throw unsafe([...links]);
  if (full.length > 0) throw notEmpty(full);
  return listings.leftovers;
}

/** A link in the place of a folder that something wanted lies below. */
function linkAbove(listings: Listings, folder: RestoreFolder): string | undefined {
  for (let one: RestoreFolder | undefined = folder; one?.up !== undefined; one = one.up) {
    if (!one.selected && listings.kindOf(one.path) === 'link') return one.path;
  }
  return undefined;
}

type Kind = 'folder' | 'link' | 'other';

/** What the target holds, read folder by folder. Paths are relative to the root and free of links up to their last name. */
class Listings {
  readonly #root: string;
  readonly #kinds = new Map<string, Map<string, Kind>>();
  /** Unfinished files of restores that were killed. */
  readonly leftovers: string[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  kindOf(path: string): Kind | undefined {
    const slash = path.lastIndexOf('/');
    return this.#listing(slash < 0 ? '' : path.slice(0, slash)).get(path.slice(slash + 1));
  }

  isEmpty(path: string): boolean {
    return this.#read(path).length === 0;
  }

  forget(path: string): void {
    this.#kinds.delete(path);
  }

  #listing(folder: string): Map<string, Kind> {
    const known = this.#kinds.get(folder);
    if (known !== undefined) return known;
    const followed = folder !== '' && this.kindOf(folder) !== 'folder';
    const entries = followed ? [] : this.#read(folder);
    const kinds = new Map(entries.map((entry) => [decodeName(entry.name as unknown as Buffer), kindOf(entry)]));
    this.#kinds.set(folder, kinds);
    this.leftovers.push(...[...kinds.keys()].filter(isTemporary).map((name) => childPath(folder, name)));
    return kinds;
  }

  #read(folder: string): Dirent<NonSharedBuffer>[] {
    const path = encodeName(join(this.#root, folder));
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' });
  }
}

function kindOf(entry: Dirent<NonSharedBuffer>): Kind {
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function unsafe(paths: readonly string[]): TidemarkError {
  const what = `${paths.length === 1 ? 'a symbolic link is' : `${paths.length} symbolic links are`} where the backup has folders`;
  return new TidemarkError('TARGET_UNSAFE', `${what}: ${shownPaths(paths)}`, {
    hint: 'Nothing was written. Remove them where they should be folders, or restore into an empty folder.',
  });
}

function notEmpty(paths: readonly string[]): TidemarkError {
  const what = `${paths.length === 1 ? 'a folder' : `${paths.length} folders`} with contents stand where the backup has files`;
  return new TidemarkError('TARGET_NOT_EMPTY', `${what}: ${shownPaths(paths)}`, {
    hint: 'Nothing was written. Move them away, or restore into another folder.',
  });
}

/** The first of them, for people. */
export function shownPaths(paths: readonly string[]): string {
  return firstOf(
    paths.map((path) => `/${path}`.toWellFormed()),
    shownNames,
  );
}
