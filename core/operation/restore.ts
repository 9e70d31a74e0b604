import type { BackupRecord } from '../catalog/index.ts';
import type {
  RestoreRequest as DriverRequest,
  RestoreResult,
  Run,
  SourceDriver,
  SourceSession,
} from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import type { BackupReading } from '../repository/index.ts';
import { type BackupChoice, chooseBackup } from './choose-backup.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, driverContext, openRepository, openSource, withSubject } from './open.ts';

export interface RestoreRequest extends BackupChoice {
  /** A folder (absolute), for any backup; or a declared source of the same driver. */
  readonly into: { readonly folder: string } | { readonly source: string };
  /** Patterns of what to restore; empty means all. */
  readonly only: readonly string[];
  readonly overwrite: boolean;
  readonly verify: boolean;
  readonly keepDamaged: boolean;
}

export interface RestoreOutcome extends RestoreResult {
  readonly backup: string;
  /** The moment that the target shows now. */
  readonly restoredTo: Date;
}

/** Brings a backup back. Which one and how is decided by the catalog and the backup's manifest, not by today's plans. */
export async function runRestore(
  context: OperationContext,
  request: RestoreRequest,
  run: Run,
): Promise<RestoreOutcome> {
  const backup = await chooseBackup(context.catalog, request, context.clock.now());
  const destination = await appliedResource(context, `destinations.${backup.destination}`);
  await using open = await openRepository(context, destination, run.signal);
  const result = await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock('shared', run.signal);
    const signal = AbortSignal.any([run.signal, lock.signal]);
    const snapshot = await open.repository.snapshot(backup.snapshot, signal);
    await using reading = await open.repository.read(snapshot, { ...run, signal, threads: context.process.threads });
    return await restoreInto(context, request, reading, { ...run, signal });
  });
  return {
    ...result,
    warnings: allWarnings(result, backup),
    backup: backup.id,
    restoredTo: backup.consistentAt,
    partial: backup.partial || result.partial,
  };
}

async function restoreInto(
  context: OperationContext,
  request: RestoreRequest,
  reading: BackupReading,
  run: Run,
): Promise<RestoreResult> {
  const { only, overwrite, verify, keepDamaged, into } = request;
  const options: DriverRequest = { only, overwrite, verify, keepDamaged, ...run };
  if ('folder' in into) {
    await using session = await openFolder(context, into.folder, run.signal);
    return await withSubject(into.folder, () => session.restore({ ...options, folder: into.folder }, reading));
  }
  const target = await appliedResource(context, `sources.${into.source}`);
  rejectOtherDriver(reading.manifest.driver, String(target.spec.driver), target.address);
  await using session = await openSource(context, target, run.signal);
  return await withSubject(target.address, () => session.restore(options, reading));
}

/** The driver that writes any tree into a folder, opened on that folder. */
function openFolder(context: OperationContext, folder: string, signal: AbortSignal): Promise<SourceSession> {
  const driver = context.drivers.sources.find(writesFolders);
  if (driver !== undefined) return driver.open({ paths: [folder] }, driverContext(context, folder, signal));
  throw new TidemarkError('UNSUPPORTED', 'no driver here writes backups into folders');
}

function writesFolders(driver: SourceDriver): boolean {
  return driver.capabilities.restoresAnyTree === true;
}

function rejectOtherDriver(ofBackup: string, ofTarget: string, subject: string): void {
  if (ofBackup === ofTarget) return;
  throw new TidemarkError(
    'UNSUPPORTED',
    `a backup made by driver \`${ofBackup}\` cannot go into a \`${ofTarget}\` source`,
    {
      subject,
      hint: `Restore into a source of driver \`${ofBackup}\`, or into a folder (\`--into ./folder\`).`,
    },
  );
}

function allWarnings(result: RestoreResult, backup: BackupRecord): string[] {
  const incomplete = backup.partial ? ['the backup is partial: its own warnings say what it lacks'] : [];
  return [...incomplete, ...result.warnings];
}
