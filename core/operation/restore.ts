import type { BackupRecord } from '../catalog/index.ts';
import type { RestoreRequest as DriverRequest, RestoreResult, Run, SourceSession } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { BackupReading } from '../repository/index.ts';
import type { PlannedBackup, RestorePlan } from '../restore/index.ts';
import type { OperationContext } from './context.ts';
import { finished, lateText } from './finished.ts';
import { appliedResource, driverContext, openRepository, openSource, withSubject } from './open.ts';
import { beingDeleted, rejectOtherDriver } from './plan-restore.ts';
import { recoveredWarnings } from './recovered-locks.ts';
import { besideManifest } from './restored-totals.ts';

export interface RestoreOutcome extends RestoreResult {
  readonly backup: string;
  /** The moment that the target shows now. */
  readonly restoredTo: Date;
}

/**
 * Executes a plan as it stands and chooses nothing: how is decided by the backup's manifest, not by today's plans. Throws
 * BACKUP_NOT_FOUND when the backup is gone since it was planned.
 */
export async function runRestore(context: OperationContext, plan: RestorePlan, run: Run): Promise<RestoreOutcome> {
  const backup = await plannedCopy(context, plan.backup);
  const result = await finished<RestoreResult>(
    (done) => restoreUnderLock(context, backup, plan, run, done),
    (done, thrown) => ({ ...done, warnings: [...done.warnings, `the restore is done, but ${lateText(thrown)}`] }),
  );
  return {
    ...result,
    warnings: allWarnings(result, backup),
    backup: backup.id,
    restoredTo: backup.consistentAt,
    partial: backup.partial || result.partial,
  };
}

/** No other copy and no other backup will do. A rename of the destination is in the plan of a job already. */
async function plannedCopy({ catalog }: OperationContext, planned: PlannedBackup): Promise<BackupRecord> {
  const copy = await catalog.backups.copy(planned.destination, planned.snapshot).catch((thrown: unknown) => {
    if (!hasCode(thrown, 'BACKUP_NOT_FOUND')) throw thrown;
  });
  if (copy !== undefined && copy.expiringAt === undefined) return copy;
  throw await beingDeleted(catalog, copy ?? { ...planned, consistentAt: new Date(planned.consistentAt) });
}

async function restoreUnderLock(
  context: OperationContext,
  backup: BackupRecord,
  plan: RestorePlan,
  run: Run,
  done: (result: RestoreResult) => void,
): Promise<void> {
  const destination = await appliedResource(context, `destinations.${backup.destination}`);
  await using open = await openRepository(context, destination, run.signal);
  await withSubject(destination.address, async () => {
    await open.repository.underLock('read', run.signal, async (lock) => {
      const signal = AbortSignal.any([run.signal, lock.signal]);
      const snapshot = await open.repository.snapshot(backup.snapshot, signal);
      const work = { ...run, signal, threads: context.process.threads };
      await using reading = await open.repository.salvage(snapshot, work);
      const { warnings } = reading;
      const saysWhole = !backup.partial && !reading.isForeign && reading.manifestDamage === undefined;
      const isComparable = saysWhole && plan.only.length === 0 && isOfFiles(context, reading);
      const told = (restored: RestoreResult) => {
        const result = isComparable ? besideManifest(restored, reading.manifest) : restored;
        done({ ...result, warnings: [...result.warnings, ...warnings, ...recoveredWarnings(lock)] });
      };
      await lock.settled; // before anything of the target is touched
      await restoreInto(context, plan, reading, { ...run, signal }, told);
    });
  });
}

async function restoreInto(
  context: OperationContext,
  { only, overwrite, verify, keepDamaged, target }: RestorePlan,
  reading: BackupReading,
  run: Run,
  done: (result: RestoreResult) => void,
): Promise<void> {
  const options: DriverRequest = { only, overwrite, verify, keepDamaged, ...run };
  if ('folder' in target) {
    await using session = await openFolder(context, target.folder);
    const request = { ...options, folder: target.folder };
    done(await withSubject(target.folder, () => session.restore(request, reading)));
    return;
  }
  if (reading.manifestDamage !== undefined) throw withoutManifest(reading.manifestDamage);
  const source = await appliedResource(context, `sources.${target.source}`);
  rejectOtherDriver(reading.manifest.driver, String(source.spec.driver), source.address);
  await using session = await openSource(context, source);
  done(await withSubject(source.address, () => session.restore(options, reading)));
}

function withoutManifest({ code, message, cause }: TidemarkError): TidemarkError {
  return new TidemarkError(code, `the manifest of the backup cannot be read: ${message}`, {
    hint: 'What is left of the backup can be restored into a folder (`--into ./folder`), or choose another backup.',
    cause,
  });
}

/** What another driver stored is files when it comes into a folder, and counted otherwise in its manifest. */
function isOfFiles(context: OperationContext, { manifest }: BackupReading): boolean {
  return manifest.driver === folderDriver(context)?.kind;
}

function folderDriver({ drivers }: OperationContext): OperationContext['drivers']['sources'][number] | undefined {
  return drivers.sources.find((one) => one.openFolder !== undefined);
}

function openFolder(context: OperationContext, folder: string): Promise<SourceSession> {
  const driver = folderDriver(context);
  if (driver !== undefined) return driver.openFolder!(folder, driverContext(context, folder));
  throw new TidemarkError('UNSUPPORTED', 'no driver here writes backups into folders');
}

function allWarnings(result: RestoreResult, backup: BackupRecord): string[] {
  const incomplete = backup.partial
    ? [`the backup is partial, or hurt by what a check found: \`tidemark show ${backup.id}\` says what it lacks`]
    : [];
  const repaired = backup.warnings.filter((text) => text.startsWith('repaired: '));
  return [...incomplete, ...repaired, ...result.warnings];
}
