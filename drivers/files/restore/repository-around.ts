import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * The repository that a folder is, or lies in, by what is there: also one that no configuration names. Undefined when
 * there is none. The folder itself need not be there yet.
 */
export async function repositoryAround(folder: string): Promise<string | undefined> {
  const path = await realpath(folder).catch(() => folder);
  if (await isRepository(path)) return path;
  const parent = dirname(path);
  return parent === path ? undefined : repositoryAround(parent);
}

/** What each restic repository has from its beginning. */
const parts = ['config', 'data', 'index', 'keys', 'locks', 'snapshots'];

async function isRepository(path: string): Promise<boolean> {
  for (const part of parts) {
    if (!(await isThere(join(path, part)))) return false;
  }
  return true;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
