import { unlessAborted } from '../abort.ts';
import type { BackupWithManifest } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import type { OperationContext } from './context.ts';

const againAfterMs = 500;
/** A cancel that comes now comes too late for the backup: a catalog that is free is told all the same. */
const graceMs = 2_000;

/**
 * Makes the catalog know a backup that is in its repository. A busy catalog is waited for until soon after the signal
 * fires: a finished backup must not be lost because somebody else was writing. Throws BACKUP_UNRECORDED, which says how to
 * find the backup again.
 */
export async function recordBackup(
  { catalog, clock }: Pick<OperationContext, 'catalog' | 'clock'>,
  backup: BackupWithManifest,
  signal: AbortSignal,
): Promise<BackupWithManifest> {
  const [recorded, over] = [new AbortController(), new AbortController()];
  void fired(signal, recorded.signal).then(async () => {
    if (await pause(clock, graceMs, recorded.signal)) over.abort(signal.reason);
  });
  try {
    return await untilFree(clock, over.signal, () => catalog.backups.record(backup, backup.id)); // its job has its id
  } catch (thrown) {
    throw notRecorded(thrown, backup);
  } finally {
    recorded.abort();
  }
}

function fired(signal: AbortSignal, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: ended });
  });
}

/** Throws CATALOG_BUSY, or the reason of the signal while the catalog does not answer. */
async function untilFree<Result>(
  clock: OperationContext['clock'],
  over: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await unlessAborted(call(), over);
    } catch (thrown) {
      if (!hasCode(thrown, 'CATALOG_BUSY') || !(await pause(clock, againAfterMs, over))) throw thrown;
    }
  }
}

function notRecorded(thrown: unknown, { destination, snapshot }: BackupWithManifest): TidemarkError {
  const { message, hint } = asTidemarkError(thrown);
  const found = `The backup is whole: \`tidemark catalog import ${destination}\` makes the catalog know it.`;
  const text = `the backup was stored as snapshot ${snapshot.slice(0, 8)} in ${destination}, but not recorded: ${message}`;
  return new TidemarkError('BACKUP_UNRECORDED', text, {
    subject: 'catalog',
    hint: hint === undefined ? found : `${found} ${hint}`,
    cause: thrown,
  });
}
