import crypto from 'node:crypto';
import type { Store } from '../../driver/index.ts';
import { TidemarkError } from '../../error.ts';

/** Of what is in a repository, by names and sizes: a plan that was made for another state is stale. */
export async function fingerprintOf(store: Store, signal: AbortSignal): Promise<string> {
  const hash = crypto.createHash('sha256');
  for (const folder of ['snapshots/', 'index/', 'data/', 'marks/', 'pins/']) {
    const names: string[] = [];
    for await (const { name, sizeBytes } of store.list(folder, signal)) names.push(`${name} ${sizeBytes}\n`);
    for (const name of names.sort()) hash.update(name);
  }
  return hash.digest('hex');
}

export function staleRepair(): TidemarkError {
  return new TidemarkError(
    'CHANGE_STALE',
    'the repository has changed since this repair was planned; nothing was done',
    {
      hint: 'Run `tidemark repository repair` again while no backup runs into it.',
    },
  );
}
