import { TidemarkError } from '../error.ts';
import type { KeyInfo, Repository } from '../repository/index.ts';
import type { Secret } from '../secret.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';

/** The keys of a destination's repository; `current` opened it. */
export function listKeys(
  context: OperationContext,
  destination: string,
  signal: AbortSignal,
): Promise<(KeyInfo & { current: boolean })[]> {
  return withRepository(context, destination, signal, (repository) => repository.keys(signal));
}

/** Lets another password open the repository as well. Gives the id of its key. */
export function addKey(
  context: OperationContext,
  destination: string,
  password: Secret,
  signal: AbortSignal,
): Promise<string> {
  return withRepository(context, destination, signal, (repository) => repository.addKey(password));
}

/** Takes a password away. `idPart`: the beginning of a key's id. Gives the whole id. Throws JOB_CONFLICT for the key in use. */
export function removeKey(
  context: OperationContext,
  destination: string,
  idPart: string,
  signal: AbortSignal,
): Promise<string> {
  return withRepository(context, destination, signal, async (repository) => {
    const fitting = (await repository.keys(signal)).filter((key) => key.id.startsWith(idPart.toLowerCase()));
    const [only, another] = fitting;
    if (only === undefined || another !== undefined) {
      throw new TidemarkError('OBJECT_NOT_FOUND', `${fitting.length} keys begin with \`${idPart}\``, {
        hint: `List them with \`tidemark key list ${destination}\`.`,
      });
    }
    await repository.removeKey(only.id);
    return only.id;
  });
}

async function withRepository<T>(
  context: OperationContext,
  name: string,
  signal: AbortSignal,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  const destination = await appliedResource(context, `destinations.${name}`);
  await using open = await openRepository(context, destination, signal);
  return await withSubject(destination.address, () => work(open.repository));
}
