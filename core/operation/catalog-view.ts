import type { BackupRecord } from '../catalog/index.ts';
import type { CatalogView, KnownBackup } from '../repository/index.ts';
import type { OperationContext } from './context.ts';

/** What the catalog says of a destination, before its repository is looked at. */
export async function catalogView(
  { catalog }: Pick<OperationContext, 'catalog'>,
  destination: string,
): Promise<CatalogView> {
  const knownNow = async () => {
    const records = await catalog.backups.list({ destination, limit: Number.MAX_SAFE_INTEGER });
    return records.filter(({ expiringAt }) => expiringAt === undefined).map(knownBackup); // others may be gone already
  };
  const subject = `destinations.${destination}`;
  const sawEmptied = async () =>
    (await catalog.events.list({ kind: 'repository.emptied', subject, limit: 1 })).length > 0;
  return { known: await knownNow(), knownNow, sawEmptied };
}

/** What restic made has no plan, and its snapshot's id for an id. */
function knownBackup({ snapshot, id, plan, consistentAt }: BackupRecord): KnownBackup {
  const own = plan === '' ? {} : { backup: id, plan };
  return { snapshot, ...own, time: consistentAt.toISOString() };
}
