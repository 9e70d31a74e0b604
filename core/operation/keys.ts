import type { AppliedResource } from '../catalog/index.ts';
import type { Resource } from '../config/index.ts';
import { TidemarkError } from '../error.ts';
import { otherRepository } from '../other-repository.ts';
import { type KeyInfo, type Repository, recover } from '../repository/index.ts';
import type { Secret } from '../secret.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository, openStore, repositoryOptions, withSubject } from './open.ts';

/** The keys of a destination's repository; `current` opened it. */
export function listKeys(
  context: OperationContext,
  destination: string,
  signal: AbortSignal,
): Promise<(KeyInfo & { current: boolean })[]> {
  return withRepository(context, destination, signal, (repository) => repository.keys(signal));
}

export interface AddedKey {
  readonly id: string;
  /** False when a sound key opens with this password already: then that is the one. */
  readonly added: boolean;
  /** What comes next: who is to use the new password, and which keys can go then. */
  readonly next: string;
}

/** Lets another password open the repository as well. */
export function addKey(
  context: OperationContext,
  destination: string,
  password: Secret,
  signal: AbortSignal,
): Promise<AddedKey> {
  return withRepository(context, destination, signal, async (repository) => {
    const keys = await repository.keys(signal);
    const opened = new Set(await repository.keysOpenedBy(password, signal));
    const sound = keys.find(({ id, state }) => opened.has(id) && state === 'good');
    const id = sound?.id ?? (await repository.addKey(password));
    const weak = keys.filter((key) => opened.has(key.id) && key.id !== id);
    const current = keys.find((key) => key.current && !opened.has(key.id));
    return { id, added: sound === undefined, next: nextStep(destination, weak, current) };
  });
}

function nextStep(destination: string, same: readonly KeyInfo[], current: KeyInfo | undefined): string {
  const remove = (key: KeyInfo) => `\`tidemark key remove ${destination} ${key.id.slice(0, 8)}\``;
  const ends = same.map((key) => `the same password opens a ${key.state} key, too: ${remove(key)} takes that away`);
  if (current === undefined) return ends.join('; ');
  const turn = `to change over to it, let \`password\` of destinations.${destination} refer to the new password, run \`tidemark apply\`, then ${remove(current)}`;
  return [...ends, turn].join('; ');
}

/**
 * Takes a password away. `idPart`: the beginning of a key's id. `wanted`: the reference that the configuration has for
 * the destination now, where it is another than the applied one. Gives the whole id. Throws JOB_CONFLICT for a key
 * without which the applied or the wanted reference would open nothing, so that the last key is never removed.
 */
export function removeKey(
  context: OperationContext,
  destination: string,
  idPart: string,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  return withRepository(context, destination, signal, async (repository, applied) => {
    const fitting = (await repository.keys(signal)).filter((key) => key.id.startsWith(idPart.toLowerCase()));
    const [only, another] = fitting;
    if (idPart === '' || only === undefined || another !== undefined) {
      const text = idPart === '' ? 'an empty id names no key' : `${fitting.length} keys begin with \`${idPart}\``;
      throw new TidemarkError('OBJECT_NOT_FOUND', text, {
        hint: `List them with \`tidemark key list ${destination}\`.`,
      });
    }
    const needs: [whose: string, reference: string][] = [['applied', String(applied.spec.password)]];
    if (wanted !== undefined && wanted !== applied.spec.password) needs.push(['configured', wanted]);
    for (const [whose, reference] of needs) {
      const opened = await repository.keysOpenedBy(await context.secret(reference), signal);
      if (opened.length === 1 && opened[0] === only.id) throw needed(destination, only.id, whose, reference);
    }
    await repository.removeKey(only.id, signal);
    return only.id;
  });
}

/** A recovery kit of a destination's repository, as text for paper. Whoever has it can read everything: never to be logged. */
export function exportKit(context: OperationContext, destination: string, signal: AbortSignal): Promise<string> {
  return withRepository(context, destination, signal, (repository, { name, spec }) => {
    const { host, user } = context.process;
    const driver = context.drivers.destinations.find(({ kind }) => kind === spec.driver);
    const place = [spec.driver, ...(driver?.placeSettings ?? []).map((setting) => spec[setting])].join(' ');
    const madeAt = context.clock.now();
    return repository.makeKit({
      destination: name,
      place,
      madeAt,
      madeBy: `${user}@${host}`,
      version: context.version,
    });
  });
}

export interface ImportedKit {
  readonly repository: string;
  /** The key that the password opens. */
  readonly key: string;
  /** False when the password opened the repository already. */
  readonly added: boolean;
  readonly configMade: boolean;
}

/**
 * Lets a password open a destination's repository by a recovery kit: that which the destination refers to when none is
 * given. The destination need not be applied. Throws KIT_UNUSABLE, and what `recover` throws.
 */
export async function importKit(
  context: OperationContext,
  destination: Resource | AppliedResource,
  kit: string,
  password: Secret | undefined,
  signal: AbortSignal,
): Promise<ImportedKit> {
  await using store = await openStore(context, destination);
  return await withSubject(destination.address, async () => {
    const own = await repositoryOptions(context, destination, store);
    const accept = (id: string) => {
      const applied = 'identity' in destination ? destination.identity : undefined;
      const other = otherRepository(destination.address, applied, id);
      if (other) throw other;
    };
    const options = { ...own, password: password ?? own.password };
    const { repository, added, configMade } = await recover(options, kit, accept, signal);
    const current = (await repository.keys(signal)).find((key) => key.current);
    return { repository: repository.id, key: current!.id, added, configMade };
  });
}

function needed(destination: string, id: string, whose: string, reference: string): TidemarkError {
  const text = `key ${id.slice(0, 8)} is the only one that the ${whose} password ${reference} opens`;
  return new TidemarkError('JOB_CONFLICT', text, {
    hint: `Add another password with \`tidemark key add ${destination}\`, let \`password\` of destinations.${destination} refer to it, run \`tidemark apply\`, and remove this key then.`,
  });
}

async function withRepository<T>(
  context: OperationContext,
  name: string,
  signal: AbortSignal,
  work: (repository: Repository, destination: AppliedResource) => Promise<T>,
): Promise<T> {
  const destination = await appliedResource(context, `destinations.${name}`);
  await using open = await openRepository(context, destination, signal);
  return await withSubject(destination.address, () => work(open.repository, destination));
}
