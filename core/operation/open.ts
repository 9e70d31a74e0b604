import { requireResource } from '../applied.ts';
import type { AppliedResource } from '../catalog/index.ts';
import type { Collection, Resource } from '../config/index.ts';
import type { DriverContext, SourceDriver, SourceSession, Store } from '../driver/index.ts';
import { asTidemarkError, TidemarkError } from '../error.ts';
import { otherRepository } from '../other-repository.ts';
import type { Repository, RepositoryOptions } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { openKnown } from './missing.ts';

/** The resource of this address as applied. Throws NOT_APPLIED, with the nearest name. */
export function appliedResource(context: OperationContext, address: string): Promise<AppliedResource> {
  const dot = address.indexOf('.');
  return requireResource(context.catalog, address.slice(0, dot) as Collection, address.slice(dot + 1));
}

export async function openSource(context: OperationContext, source: Resource): Promise<SourceSession> {
  const driver = sourceDriver(context, source);
  return withSubject(source.address, () => driver.open(source.spec, driverContext(context, source.address)));
}

/** Throws UNSUPPORTED. */
export function sourceDriver(context: OperationContext, source: Resource): SourceDriver {
  return named(context.drivers.sources, source);
}

export async function openStore(context: OperationContext, destination: Resource): Promise<Store> {
  const driver = named(context.drivers.destinations, destination);
  return withSubject(destination.address, () =>
    driver.open(destination.spec, driverContext(context, destination.address)),
  );
}

/** A destination's repository, with the store to dispose after it. */
export interface OpenRepository extends AsyncDisposable {
  readonly repository: Repository;
}

/**
 * Throws REPOSITORY_OTHER where a destination that is applied has another repository now: nothing may be written to that
 * one, read from it, or forgotten because it is not there.
 */
export async function openRepository(
  context: OperationContext,
  destination: Resource | AppliedResource,
  signal: AbortSignal,
): Promise<OpenRepository> {
  const store = await openStore(context, destination);
  try {
    const options = await repositoryOptions(context, destination, store);
    const repository = await withSubject(destination.address, () => openKnown(context, destination, options, signal));
    const other =
      'identity' in destination && otherRepository(destination.address, destination.identity, repository.id);
    if (other) throw other;
    return { repository, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

export async function repositoryOptions(
  context: OperationContext,
  destination: Resource,
  store: Store,
): Promise<RepositoryOptions> {
  const { clock, keyCost, lockSettleMs } = context;
  const { host, user, pid, alive } = context.process;
  const password = await withSubject(destination.address, () => context.secret(String(destination.spec.password)));
  return { store, password, by: { host, user, pid }, clock, processAlive: alive, keyCost, lockSettleMs };
}

/** Errors that do not say what they are about get this subject. */
export async function withSubject<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw asTidemarkError(thrown).at(subject);
  }
}

export function driverContext(context: OperationContext, subject: string): DriverContext {
  return { subject, secret: context.secret, clock: context.clock };
}

function named<Driver extends { readonly kind: string }>(drivers: readonly Driver[], resource: Resource): Driver {
  const driver = drivers.find((one) => one.kind === resource.spec.driver);
  if (driver !== undefined) return driver;
  throw new TidemarkError('UNSUPPORTED', `this version has no driver \`${resource.spec.driver}\``, {
    subject: resource.address,
    hint: `Known drivers: ${drivers.map((one) => one.kind).join(', ')}.`,
  });
}
