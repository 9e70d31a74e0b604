import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JobUse } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import type { RestoreTarget } from '../restore/index.ts';

/** A backup reads its source, and is the only one that adds to this source's backups of its type. */
export function backupUses({ source, type }: Pick<PlanSettings, 'source' | 'type'>): readonly JobUse[] {
  return [
    { thing: `sources.${source}`, mode: 'read' },
    { thing: `backups:${type}:sources.${source}`, mode: 'write' },
  ];
}

/** A restore writes its target: a source, or a folder under the name that no link leads past. */
export async function restoreUses(target: RestoreTarget): Promise<readonly JobUse[]> {
  const thing = 'source' in target ? `sources.${target.source}` : `folder:${await withoutLinks(target.folder)}`;
  return [{ thing, mode: 'write' }];
}

/** For people: what stands after `reads` or `writes`. */
export function describeUse({ thing, mode }: JobUse): string {
  const [, type, source] = /^backups:([^:]*):(.*)$/.exec(thing) ?? [];
  const what = source === undefined ? thing.replace(/^folder:/, '') : `${type} backups of ${source}`;
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
