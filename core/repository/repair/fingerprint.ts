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

/** Nothing was lost by it: what is damaged goes aside only when all of it was read as planned. */
export function readsOtherwise(what: string): TidemarkError {
  return new TidemarkError(
    'CHANGE_STALE',
    `${what}, as it could when this repair was planned; the repair ended there, and nothing is lost by it`,
    {
      hint: 'The disk may be failing, and read worse each time: copy the repository to another one first. Then run `tidemark repository repair` again, which plans anew by what can be read.',
    },
  );
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
