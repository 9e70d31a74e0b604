import type { Resource } from '../config/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { Repository, type RepositoryOptions } from '../repository/index.ts';
import type { OperationContext } from './context.ts';

/** Opens the repository of a destination that should have one. Where there is none, the error says what that means. */
export async function openKnown(
  context: OperationContext,
  destination: Resource,
  options: RepositoryOptions,
  signal: AbortSignal,
): Promise<Repository> {
  try {
    return await Repository.open(options, signal);
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_MISSING')) throw error;
    throw missing(await knownBackups(context, destination), error);
  }
}

/** How many backups the catalog knows in a destination, also under the name that it has until an apply renames it. */
export async function knownBackups({ catalog }: OperationContext, { name, spec }: Resource): Promise<number> {
  const names = new Set([name, spec.renamedFrom]);
  const totals = await catalog.backups.totals();
  return totals.filter(({ destination }) => names.has(destination)).reduce((sum, { copies }) => sum + copies, 0);
}

function missing(backups: number, cause: TidemarkError): TidemarkError {
  const known = backups === 0 ? '' : `, and the catalog knows ${backups} ${backups === 1 ? 'backup' : 'backups'} in it`;
  return new TidemarkError('REPOSITORY_MISSING', `${cause.message}${known}`, {
    hint: 'Mount the destination or correct its path, or bring the repository back from a copy of it. For a new and empty one give the destination another name and run `tidemark apply`.',
    cause,
  });
}
