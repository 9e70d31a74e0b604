import type { Resource } from '../config/index.ts';
import type { DriverProblem, SourceProbe, Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import { Repository } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { openSource, openStore, repositoryOptions, withSubject } from './open.ts';

/** What an apply learns of a resource. */
export interface Prepared {
  /** Tells the repository or instance from any other. */
  readonly identity: string;
  readonly warnings: readonly string[];
}

/** Looks whether a destination can be written, and opens its repository or makes it. Throws what is wrong with it. */
export async function prepareDestination(
  context: OperationContext,
  destination: Resource,
  signal: AbortSignal,
): Promise<Prepared> {
  await using store = await openStore(context, destination, signal);
  return await withSubject(destination.address, async () => {
    const warnings = rejectProblems(await store.probe(signal), 'DESTINATION_DENIED');
    const repository = await openOrInit(context, destination, store, signal);
    return { identity: repository.id, warnings };
  });
}

/** Asks a source who it is and whether plans can work with it. Throws what is wrong with it. */
export async function prepareSource(
  context: OperationContext,
  source: Resource,
  signal: AbortSignal,
): Promise<Prepared> {
  const { identity, problems } = await probeSource(context, source, signal);
  return withSubject(source.address, async () => ({ identity, warnings: rejectProblems(problems, 'SOURCE_DENIED') }));
}

/** Throws SOURCE_UNREACHABLE while the source is down. */
export async function probeSource(
  context: OperationContext,
  source: Resource,
  signal: AbortSignal,
): Promise<SourceProbe> {
  await using session = await openSource(context, source, signal);
  return await withSubject(source.address, () => session.probe(signal));
}

/** Throws DESTINATION_UNREACHABLE while the destination is down. */
export async function probeDestination(
  context: OperationContext,
  destination: Resource,
  signal: AbortSignal,
): Promise<readonly DriverProblem[]> {
  await using store = await openStore(context, destination, signal);
  return await withSubject(destination.address, () => store.probe(signal));
}

async function openOrInit(
  context: OperationContext,
  destination: Resource,
  store: Store,
  signal: AbortSignal,
): Promise<Repository> {
  const options = await repositoryOptions(context, destination, store);
  try {
    return await Repository.open(options, signal);
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_MISSING')) throw error;
    return Repository.init(options, signal);
  }
}

/** Gives the warnings as text; an error among the problems is thrown, with all of them in its message. */
function rejectProblems(problems: readonly DriverProblem[], code: 'DESTINATION_DENIED' | 'SOURCE_DENIED'): string[] {
  const errors = problems.filter((one) => one.severity === 'error');
  if (errors.length > 0) {
    throw new TidemarkError(code, errors.map((one) => one.summary).join('; '), {
      hint: errors.flatMap((one) => one.hint ?? []).join(' ') || undefined,
    });
  }
  return problems.map((one) => one.summary);
}
