import type { BackupRecord, Catalog } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';
import { firstOf } from '../first-of.ts';

/** Is looked for before the repository is: a backup is in the catalog when its snapshot is there. */
export async function listedBackups(
  { backups }: Pick<Catalog, 'backups'>,
  destination: string,
): Promise<readonly BackupRecord[]> {
  return backups.list({ destination, expiring: false, limit: Number.MAX_SAFE_INTEGER });
}

/** A repository as somebody saw it who is to free its space. */
export interface SeenRepository {
  readonly destination: string;
  /** The snapshots that it has, those that are to go among them. */
  readonly has: (snapshot: string) => boolean;
  readonly hasNone: boolean;
  /** What no snapshot needs. */
  readonly unusedBytes: number;
}

/**
 * Throws REPOSITORY_CORRUPT where the repository lacks what the catalog listed before it was looked at, and lists still;
 * and where it holds data and no snapshot, and the catalog did not see the last one go. A folder that was lost is listed
 * as an empty one: all data would be used by nothing.
 */
export async function rejectLost(
  catalog: Pick<Catalog, 'backups' | 'events'>,
  listed: readonly BackupRecord[],
  { destination, has, hasNone, unusedBytes }: SeenRepository,
): Promise<void> {
  const missing = listed.filter(({ snapshot }) => !has(snapshot));
  const still = missing.length === 0 ? [] : await listedBackups(catalog, destination);
  const known = new Set(still.map(({ snapshot }) => snapshot));
  const lost = missing.filter(({ snapshot }) => known.has(snapshot));
  if (lost.length > 0) throw lostBackups(lost, destination);
  if (!hasNone || unusedBytes === 0) return;
  const subject = `destinations.${destination}`;
  const [emptied] = await catalog.events.list({ kind: 'repository.emptied', subject, limit: 1 });
  if (emptied === undefined) throw noSnapshot(destination);
}

function lostBackups(lost: readonly BackupRecord[], destination: string): TidemarkError {
  const ids = firstOf(
    lost.map(({ id }) => id),
    5,
  );
  const [what, whose] =
    lost.length === 1 ? ['1 backup', 'its snapshot is'] : [`${lost.length} backups`, 'their snapshots are'];
  return new TidemarkError(
    'REPOSITORY_CORRUPT',
    `nothing was removed, because the catalog lists ${what} in ${destination} and ${whose} not in the repository: ${ids}`,
    {
      hint: `Bring \`snapshots/\` back from a copy of the repository: the data of these backups is there still. If they are gone on purpose, \`tidemark delete\` with their ids makes the catalog forget them, or \`tidemark catalog import ${destination}\` all that are gone; then their space is freed.`,
    },
  );
}

function noSnapshot(destination: string): TidemarkError {
  return new TidemarkError(
    'REPOSITORY_CORRUPT',
    `nothing was removed, because the repository of ${destination} holds data and no snapshot, and the catalog did not see the last one go`,
    {
      hint: 'If there were backups in it, bring `snapshots/` back from a copy of the repository. What a first backup left that was cut off the next backup uses; what was removed on purpose by another program `restic prune` frees.',
    },
  );
}
