import type { BackupWithManifest } from '../catalog/index.ts';
import { pause } from '../clock.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import type { OperationContext } from './context.ts';

const againAfterMs = 500;

/**
 * Makes the catalog know a backup that is in its repository. A busy catalog is waited for until the signal fires: a
 * finished backup must not be lost because somebody else was writing. What it throws says how to find the backup again.
 */
export async function recordBackup(
  { catalog, clock }: Pick<OperationContext, 'catalog' | 'clock'>,
  backup: BackupWithManifest,
  signal: AbortSignal,
): Promise<BackupWithManifest> {
  for (;;) {
    try {
      return await catalog.backups.record(backup, backup.id); // one job makes one backup, which has its id
    } catch (thrown) {
      const again = hasCode(thrown, 'CATALOG_BUSY') && (await pause(clock, againAfterMs, signal));
      if (!again) throw notRecorded(thrown, backup);
    }
  }
}

function notRecorded(thrown: unknown, { destination, snapshot }: BackupWithManifest): TidemarkError {
  const { code, message, hint } = asTidemarkError(thrown);
  const found = `The backup is whole, as snapshot ${snapshot.slice(0, 8)}: \`tidemark catalog import ${destination}\` makes the catalog know it.`;
  return new TidemarkError(code, `the backup was stored but not recorded: ${message}`, {
    subject: 'catalog',
    hint: hint === undefined ? found : `${found} ${hint}`,
    cause: thrown,
  });
}
