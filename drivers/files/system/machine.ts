import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * Tells machines apart that have one host name, as containers and clones do; undefined where the system has no id. Not
 * the id itself, which is nobody else's business: it stands in manifests.
 */
export async function machine(path = '/etc/machine-id'): Promise<string | undefined> {
  const id = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
  return createHash('sha256').update(`tidemark ${id}`).digest('hex').slice(0, 16);
}
