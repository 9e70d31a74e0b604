import type { Catalog } from './catalog/index.ts';
import { createEmitter } from './observe/index.ts';

/** What was found wrong with a repository, by its checks or by the latest backup into it; undefined when that was nothing. */
export async function repositoryDamage(
  { events, checks }: Pick<Catalog, 'events' | 'checks'>,
  address: string,
): Promise<string | undefined> {
  return (await checks.get(nameIn(address))).damage ?? (await toldDamage(events, address));
}

/** By the events. */
async function toldDamage(events: Catalog['events'], address: string): Promise<string | undefined> {
  const [damaged] = await events.list({ kind: 'repository.damaged', subject: address, limit: 1 });
  const [mended] = await events.list({ kind: 'repository.mended', subject: address, limit: 1 });
  if (damaged === undefined || (mended !== undefined && mended.lastAt > damaged.lastAt)) return undefined;
  return damaged.text;
}

/**
 * Makes the catalog remember what a backup found wrong with its repository, or that it found no more of it. The backup
 * itself may be whole: what is damaged is what others rely on. What a check found no backup can find mended: it does not
 * look there.
 */
export async function tellRepositoryDamage(
  catalog: Pick<Catalog, 'events' | 'checks'>,
  address: string,
  found: readonly string[],
): Promise<void> {
  const emit = createEmitter(catalog.events);
  if (found.length > 0) return emit('repository.damaged', address, found.join('; '));
  if ((await catalog.checks.get(nameIn(address))).damage !== undefined) return;
  if ((await toldDamage(catalog.events, address)) === undefined) return;
  await emit(
    'repository.mended',
    address,
    'no pack that the index names is missing; older backups may lack files still',
  );
}

/** The same of a check, whose status the catalog has already: it looked everywhere, so that it finds mended what anybody found. */
export async function tellCheckedDamage(
  catalog: Pick<Catalog, 'events'>,
  address: string,
  { verdict, damage }: { readonly verdict: 'good' | 'damaged' | 'incomplete'; readonly damage?: string },
): Promise<void> {
  const emit = createEmitter(catalog.events);
  if (damage !== undefined && verdict === 'damaged') return emit('repository.damaged', address, damage);
  if (verdict !== 'good' || (await toldDamage(catalog.events, address)) === undefined) return;
  await emit('repository.mended', address, 'a check found nothing of the damage that was found before');
}

function nameIn(address: string): string {
  return address.slice(address.indexOf('.') + 1);
}
