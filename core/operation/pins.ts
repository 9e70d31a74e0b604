import type { BackupRecord, Pin } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';
import type { KnownPin, PinDocument, Repository, SeenPin } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';

/**
 * Pins every copy of a backup. A pin is set when its repository has it: the catalog follows, and finds it there again when
 * it was lost. Gives the copies as they are then. Throws BACKUP_NOT_FOUND, also for one that is being deleted; when one of
 * several copies cannot be pinned, those before it are.
 */
export async function pinBackup(
  context: OperationContext,
  idPart: string,
  reason: string | undefined,
  signal: AbortSignal,
): Promise<readonly BackupRecord[]> {
  const pin: Pin = {
    at: context.clock.now(),
    by: context.process.host,
    ...(reason === undefined ? {} : { reason }),
  };
  return ofEachCopy(context, idPart, signal, async (copy, repository) => {
    if (copy.expiringAt !== undefined) throw tooLate(copy);
    const object = await repository.pins.add(pinDocument(copy.id, pin), signal);
    if (await context.catalog.retained.pin(copy.destination, copy.id, { ...pin, object })) return;
    await repository.pins.remove(copy.id, signal);
    throw tooLate(copy); // somebody began to delete it meanwhile
  });
}

/** Takes the pins of every copy of a backup away; one that has none is fine. As `pinBackup`. */
export async function unpinBackup(
  context: OperationContext,
  idPart: string,
  signal: AbortSignal,
): Promise<{ readonly copies: readonly BackupRecord[]; readonly unreadable: readonly TidemarkError[] }> {
  const unreadable: TidemarkError[] = [];
  const copies = await ofEachCopy(context, idPart, signal, async ({ destination, id }, repository) => {
    const { removed, left } = await repository.pins.remove(id, signal);
    unreadable.push(...left);
    // What the catalog knows of a pin that may be there still is what a repair puts it anew by.
    if (removed > 0 || left.length === 0) await context.catalog.retained.pin(destination, id, undefined);
  });
  return { copies, unreadable };
}

export interface KnownPins {
  /** For the catalog: what it does not know, and undefined for what it knows and is not there any more. */
  readonly pins: ReadonlyMap<string, Pin | undefined>;
  /** Of pins that cannot be read. Then none counts as gone. */
  readonly warnings: readonly string[];
}

/** Reads the pins of a repository. What is pinned meanwhile does not count as gone. */
export async function readPins(
  { catalog }: Pick<OperationContext, 'catalog'>,
  repository: Repository,
  destination: string,
  signal: AbortSignal,
): Promise<KnownPins> {
  const known = await catalog.backups.list({ destination, pinned: true, limit: Number.MAX_SAFE_INTEGER });
  const warnings: string[] = [];
  const listed = await repository.pins.list(signal, ({ message, hint }) => warnings.push(`${message}. ${hint}`));
  const pins = new Map([...listed].map(([id, document]): [string, Pin | undefined] => [id, toPin(document)]));
  for (const { id } of known) if (warnings.length === 0 && !pins.has(id)) pins.set(id, undefined);
  return { pins, warnings };
}

/**
 * Makes the catalog know the pins that others set in a repository, before it is decided what is deleted from it. Throws
 * REPOSITORY_CORRUPT while one cannot be read.
 */
export async function learnPins(
  { catalog }: Pick<OperationContext, 'catalog'>,
  repository: Repository,
  destination: string,
  signal: AbortSignal,
): Promise<void> {
  const pins = await pinsIn(repository, signal);
  if (pins.size > 0) await catalog.backups.takeStock(destination, { found: [], gone: [], damaged: new Map(), pins });
}

/** What the catalog knows as pinned in a destination, as its repository says it. */
export async function pinsKnown(
  { catalog }: Pick<OperationContext, 'catalog'>,
  destination: string,
): Promise<readonly KnownPin[]> {
  const known = await catalog.backups.list({ destination, pinned: true, limit: Number.MAX_SAFE_INTEGER });
  const pins = known.flatMap(({ id, pin }) => (pin === undefined ? [] : knownPin(id, pin)));
  return [...new Map(pins.map((pin) => [pin.backup, pin])).values()];
}

/** By the id of the backup. Throws REPOSITORY_CORRUPT while one cannot be read. */
export async function pinsIn(repository: Repository, signal: AbortSignal): Promise<ReadonlyMap<string, Pin>> {
  const listed = await repository.pins.list(signal);
  return new Map([...listed].map(([id, document]) => [id, toPin(document)]));
}

async function ofEachCopy(
  context: OperationContext,
  idPart: string,
  signal: AbortSignal,
  work: (copy: BackupRecord, repository: Repository) => Promise<void>,
): Promise<readonly BackupRecord[]> {
  const { backups } = context.catalog;
  const { id } = await backups.get(idPart);
  for (const copy of await backups.copies(id)) {
    const destination = await appliedResource(context, `destinations.${copy.destination}`);
    await using open = await openRepository(context, destination, signal);
    await withSubject(destination.address, () => work(copy, open.repository));
  }
  return await backups.copies(id);
}

function tooLate({ id, destination }: BackupRecord): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `backup ${id} in ${destination} is being deleted: it cannot be kept`, {
    hint: 'List those that are left with `tidemark backups`.',
  });
}

export function pinDocument(backup: string, { at, by, reason }: Pin): PinDocument {
  return { format: 1, backup, pinnedAt: at.toISOString(), by, ...(reason === undefined ? {} : { reason }) };
}

function knownPin(backup: string, pin: Pin): KnownPin {
  return { ...pinDocument(backup, pin), ...(pin.object === undefined ? {} : { object: pin.object }) };
}

function toPin({ id: object, pinnedAt, by, reason }: SeenPin): Pin {
  return { at: new Date(pinnedAt), by, object, ...(typeof reason === 'string' ? { reason } : {}) };
}
