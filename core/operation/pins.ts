import type { BackupRecord, Pin } from '../catalog/index.ts';
import { TidemarkError } from '../error.ts';
import type { PinDocument, Repository } from '../repository/index.ts';
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
    await repository.pins.add(toDocument(copy.id, pin), signal);
    if (await context.catalog.retained.pin(copy.destination, copy.id, pin)) return;
    await repository.pins.remove(copy.id, signal);
    throw tooLate(copy); // somebody began to delete it meanwhile
  });
}

/** Takes the pins of every copy of a backup away; one that has none is fine. As `pinBackup`. */
export async function unpinBackup(
  context: OperationContext,
  idPart: string,
  signal: AbortSignal,
): Promise<readonly BackupRecord[]> {
  return ofEachCopy(context, idPart, signal, async ({ destination, id }, repository) => {
    await repository.pins.remove(id, signal);
    await context.catalog.retained.pin(destination, id, undefined);
  });
}

/** The pins of a repository for the catalog. While one cannot be read, those that the catalog knows stay. */
export async function readPins(
  { catalog }: Pick<OperationContext, 'catalog'>,
  repository: Repository,
  destination: string,
  signal: AbortSignal,
): Promise<{ readonly pins: ReadonlyMap<string, Pin>; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const listed = await repository.pins.list(signal, ({ message, hint }) => warnings.push(`${message}. ${hint}`));
  const found = [...listed].map(([id, document]): [string, Pin] => [id, toPin(document)]);
  if (warnings.length === 0) return { pins: new Map(found), warnings };
  const known = await catalog.backups.list({ destination, limit: Number.MAX_SAFE_INTEGER });
  const kept = known.flatMap(({ id, pin }): [string, Pin][] => (pin === undefined ? [] : [[id, pin]]));
  return { pins: new Map([...kept, ...found]), warnings };
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

function toDocument(backup: string, { at, by, reason }: Pin): PinDocument {
  return { format: 1, backup, pinnedAt: at.toISOString(), by, ...(reason === undefined ? {} : { reason }) };
}

function toPin({ pinnedAt, by, reason }: PinDocument): Pin {
  return { at: new Date(pinnedAt), by, ...(typeof reason === 'string' ? { reason } : {}) };
}
