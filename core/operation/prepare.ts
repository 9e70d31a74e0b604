import type { Resource } from '../config/index.ts';
import type { DriverProblem, SourceProbe } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import { formatOneText, Repository, type RepositoryOptions, upgradeHint } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { knownBackups, openKnown } from './missing.ts';
import { openSource, openStore, repositoryOptions, withSubject } from './open.ts';

/** What an apply learns of a resource; what the driver found is handed on as it said it. */
export interface Prepared {
  /** Tells the repository or instance from any other. Absent where an error among the problems kept from asking. */
  readonly identity?: string;
  readonly problems: readonly DriverProblem[];
}

/**
 * Looks whether a destination can be written, and opens its repository. Where there is none, `make` makes it unless
 * the catalog knows backups in it, and else REPOSITORY_MISSING is thrown.
 */
export async function prepareDestination(
  context: OperationContext,
  destination: Resource,
  signal: AbortSignal,
  missing: 'make' | 'look' = 'make',
): Promise<Prepared> {
  await using store = await openStore(context, destination);
  return await withSubject(destination.address, async () => {
    const problems = await store.probe(signal);
    if (problems.some(({ severity }) => severity === 'error')) return { problems };
    const options = await repositoryOptions(context, destination, store);
    const mayMake = missing === 'make' && (await knownBackups(context, destination)) === 0;
    const repository = await (mayMake ? openOrInit(options, signal) : openKnown(context, destination, options, signal));
    return { identity: repository.id, problems: [...problems, ...formatProblems(repository)] };
  });
}

/** What it holds can be listed and restored all the same: no reason to refuse it. */
function formatProblems({ formatVersion }: Repository): readonly DriverProblem[] {
  if (formatVersion === 2) return [];
  return [{ severity: 'warning', summary: formatOneText, hint: upgradeHint }];
}

/** Asks a source who it is and whether plans can work with it. Throws SOURCE_UNREACHABLE, SOURCE_DENIED. */
export async function prepareSource(
  context: OperationContext,
  source: Resource,
  signal: AbortSignal,
): Promise<Prepared> {
  const { identity, problems } = await probeSource(context, source, signal);
  return { identity, problems };
}

/** Throws SOURCE_UNREACHABLE while the source is down. */
export async function probeSource(
  context: OperationContext,
  source: Resource,
  signal: AbortSignal,
): Promise<SourceProbe> {
  await using session = await openSource(context, source);
  return await withSubject(source.address, () => session.probe(signal));
}

/** Throws DESTINATION_UNREACHABLE while the destination is down. */
export async function probeDestination(
  context: OperationContext,
  destination: Resource,
  signal: AbortSignal,
): Promise<readonly DriverProblem[]> {
  await using store = await openStore(context, destination);
  return await withSubject(destination.address, () => store.probe(signal));
}

/** Two applies may make it at once: the one that comes second waits until the first has made it, and opens that. */
async function openOrInit(options: RepositoryOptions, signal: AbortSignal): Promise<Repository> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await Repository.open(options, signal);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_MISSING')) throw error;
    }
    try {
      return await Repository.init(options, signal);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_EXISTS') || attempt === attempts) throw error;
      await options.clock.sleep(betweenMs, signal);
    }
  }
}

/** Making a repository takes some seconds where the store is far away. */
const attempts = 20;
const betweenMs = 250;
