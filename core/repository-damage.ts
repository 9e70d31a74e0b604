import type { Catalog } from './catalog/index.ts';
import { createEmitter } from './observe/index.ts';

/** What the latest backup into a destination found wrong with its repository; undefined when that found nothing. */
export async function repositoryDamage(
  { events }: Pick<Catalog, 'events'>,
  address: string,
): Promise<string | undefined> {
  const [damaged] = await events.list({ kind: 'repository.damaged', subject: address, limit: 1 });
  const [mended] = await events.list({ kind: 'repository.mended', subject: address, limit: 1 });
  if (damaged === undefined || (mended !== undefined && mended.lastAt > damaged.lastAt)) return undefined;
  return damaged.text;
}

/**
 * Makes the catalog remember what a backup found wrong with its repository, or that it found no more of it. The backup
 * itself may be whole: what is damaged is what others rely on.
 */
export async function tellRepositoryDamage(
  catalog: Pick<Catalog, 'events'>,
  address: string,
  found: readonly string[],
): Promise<void> {
  const emit = createEmitter(catalog.events);
  if (found.length > 0) return emit('repository.damaged', address, found.join('; '));
  if ((await repositoryDamage(catalog, address)) === undefined) return;
  await emit(
    'repository.mended',
    address,
    'no pack that the index names is missing; older backups may lack files still',
  );
}
