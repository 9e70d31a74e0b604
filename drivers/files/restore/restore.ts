import { randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath } from 'node:fs/promises';
import type { BackupReader, RestoreRequest, RestoreResult } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { isAtOrBelow } from '../system/mount.ts';
import { loadNative, workingFolder } from '../system/native.ts';
import { RestoreBatches } from './restore-batches.ts';
import {
  childPath,
  emptyRestoreReport,
  type RestoreReport,
  type RestoreSetup,
  type RestoreTask,
} from './restore-task.ts';
import { moduleUrl } from './restore-thread.ts';
import { type RestoreFolder, restoreSteps } from './restore-walk.ts';

/** Core's own folder at the root of every backup; a restore in place has no business with it. */
const manifestFolder = '.tidemark';
const shownNames = 20;

/**
 * Writes the tree of any backup into a folder, or that of a `files` backup back to where it was. Nothing is written when
 * the target holds data and `overwrite` is off (TARGET_NOT_EMPTY). With `overwrite` each file is replaced at once by a
 * whole one, and files that the backup does not have stay.
 */
export async function restoreFiles(
  request: RestoreRequest,
  backup: BackupReader,
  subject: string,
): Promise<RestoreResult> {
  const inPlace = request.folder === undefined;
  const root = inPlace ? await checkInPlace(request, backup, subject) : await prepareFolder(request, request.folder!);
  const report = emptyRestoreReport();
  const temporaryPrefix = `.tidemark-${randomBytes(6).toString('hex')}`;
  const setup = { root, replace: request.overwrite, temporaryPrefix };
  await using threads = await backup.threads<RestoreSetup, RestoreTask, RestoreReport>(moduleUrl, setup);
  const batches = new RestoreBatches({
    backup,
    threads,
    verify: request.verify,
    temporaryPrefix: inPlace || request.overwrite ? temporaryPrefix : undefined,
    onReport: (one) => addReport(report, one),
    ownsMetadata: inPlace ? belowSourcePaths(backup) : () => true,
  });
  for await (const step of restoreSteps(backup, request.only, inPlace ? [manifestFolder] : [])) {
    request.signal.throwIfAborted();
    if (step.kind === 'enter') batches.enter(step.folder);
    else if (step.kind === 'leave') await batches.leave(step.folder);
    else await batches.add(step.folder, step.node);
  }
  await batches.end();
  rejectDifferences(report, subject);
  const warnings = warningsOf(report);
  return { items: batches.items, bytes: batches.bytes, warnings, notRestored: [], partial: warnings.length > 0 };
}

/** Folders above the paths of the source exist on their own account: their metadata stays. */
function belowSourcePaths(backup: BackupReader): (folder: RestoreFolder) => boolean {
  const paths = backup.manifest.contents.map((one) => String(one.path));
  return ({ path }) => paths.some((source) => isAtOrBelow(`/${path}`, source));
}

async function checkInPlace(request: RestoreRequest, backup: BackupReader, subject: string): Promise<string> {
  if (backup.manifest.driver !== 'files') {
    throw new TidemarkError('UNSUPPORTED', `a backup of ${backup.manifest.driver} has no place among files`, {
      subject,
      hint: 'Give the folder to restore into.',
    });
  }
  const existing = request.overwrite ? [] : await existingPaths(request, backup);
  if (existing.length === 0) return '/';
  throw notEmpty(
    `${existing.length === shownNames ? 'many' : existing.length} paths exist already: ${existing.join(', ')}`,
  );
}

/** The first of the wanted files that exist. */
async function existingPaths(request: RestoreRequest, backup: BackupReader): Promise<string[]> {
  const native = loadNative();
  const existing: string[] = [];
  for await (const step of restoreSteps(backup, request.only, [manifestFolder])) {
    request.signal.throwIfAborted();
    if (step.kind !== 'entry') continue;
    const path = `/${childPath(step.folder.path, step.node.name)}`;
    if (exists(() => native.stat(workingFolder, path))) existing.push(path);
    if (existing.length === shownNames) break;
  }
  return existing;
}

function exists(look: () => unknown): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function prepareFolder(request: RestoreRequest, folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const entries = request.overwrite ? [] : await readdir(folder);
    if (entries.length > 0) throw notEmpty(`${folder} is not empty`);
    return await realpath(folder);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('TARGET_FAILED', `${folder} cannot be used: ${(error as Error).message}`, {
      hint: 'Give a folder that the user who runs tidemark may write.',
      cause: error,
    });
  }
}

function notEmpty(message: string): TidemarkError {
  return new TidemarkError('TARGET_NOT_EMPTY', message, {
    hint: 'Restore into an empty folder, or allow to overwrite; files that the backup does not have stay in any case.',
  });
}

function addReport(sum: RestoreReport, one: RestoreReport): void {
  sum.owners += one.owners;
  sum.attributes += one.attributes;
  sum.specials += one.specials;
  sum.differing.push(...one.differing);
}

function rejectDifferences({ differing }: RestoreReport, subject: string): void {
  if (differing.length === 0) return;
  const names = [...new Set(differing)];
  const more = names.length > shownNames ? `, and ${names.length - shownNames} more` : '';
  throw new TidemarkError(
    'VERIFY_FAILED',
    `${names.length} restored files differ from the backup: ${names.slice(0, shownNames).join(', ')}${more}`,
    { subject, hint: 'See that nothing else writes there and that the disk is sound, then restore again.' },
  );
}

function warningsOf({ owners, attributes, specials }: RestoreReport): string[] {
  const warnings: string[] = [];
  if (owners > 0) warnings.push(`the owner of ${owners} entries could not be set; only root may`);
  if (attributes > 0) warnings.push(`${attributes} extended attributes could not be set`);
  if (specials > 0) warnings.push(`${specials} devices or special files could not be made; only root may`);
  return warnings;
}
