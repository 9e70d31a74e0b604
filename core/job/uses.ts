import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { JobUse } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';

/** A source as far as jobs can meet in it: `paths` are those of this machine that it is. */
export interface UsedSource {
  readonly source: string;
  readonly paths: readonly string[];
}

/** A backup reads its source, and is the only one that adds to this source's backups of its type. */
export async function backupUses(plan: UsedSource & Pick<PlanSettings, 'type'>): Promise<readonly JobUse[]> {
  const added: JobUse = { thing: `backups:${plan.type}:sources.${plan.source}`, mode: 'write' };
  return [...(await sourceUses(plan, 'read')), added];
}

/** A restore writes its target: a source, or a folder under the name that no link leads past. */
export async function restoreUses(target: UsedSource | { readonly folder: string }): Promise<readonly JobUse[]> {
  if ('source' in target) return sourceUses(target, 'write');
  return [{ thing: `folder:${await withoutLinks(target.folder)}`, mode: 'write' }];
}

/**
 * What a job of a destination itself does to all that is in its repository: freeing space and repairing write it, looking
 * at it reads it. Backups and restores say nothing of it: they go on beside all of these, under the repository's own locks.
 */
export function spaceUses(destination: string, mode: JobUse['mode']): readonly JobUse[] {
  return [{ thing: `space:destinations.${destination}`, mode }];
}

async function sourceUses({ source, paths }: UsedSource, mode: JobUse['mode']): Promise<readonly JobUse[]> {
  const things = await Promise.all(paths.map(async (path) => `folder:${await itself(resolve(path))}`));
  return [`sources.${source}`, ...things].map((thing) => ({ thing, mode }));
}

/** The path without links in its folder; the last part, if it is a link, is what the source holds. */
async function itself(path: string): Promise<string> {
  return path === '/' ? path : join(await withoutLinks(dirname(path)), basename(path));
}

/** For people: what stands after `reads` or `writes`. */
export function describeUse({ thing, mode }: JobUse): string {
  const [, type, source] = /^backups:([^:]*):(.*)$/.exec(thing) ?? [];
  const what = source === undefined ? thing.replace(/^(folder|space):/, '') : `${type} backups of ${source}`;
  return `${mode === 'write' ? 'writes' : 'reads'} ${what}`;
}

/** The path with its links resolved, as far as it is there. */
async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await withoutLinks(parent), basename(path));
  }
}
