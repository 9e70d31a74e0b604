import { lstat, readdir, realpath } from 'node:fs/promises';
import { type BackupReader, manifestFolder, type RestoreRequest } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { makeFolders } from '../../../core/make-folders.ts';
import { loadNative, workingFolder } from '../system/native.ts';
import { repositoryAround } from './repository-around.ts';
import { childPath, isTemporary, type RestoreTarget } from './restore-task.ts';
import { restoreSteps } from './restore-walk.ts';
import { rejectConflicts, shownPaths } from './target-conflicts.ts';
import { rejectNothing } from './unmatched.ts';

const shownNames = 20;

/**
 * Finds where to write and looks whether it may be written over, before anything is. Throws USAGE when nothing of the
 * backup is asked for, TARGET_NOT_EMPTY, TARGET_UNSAFE, TARGET_DENIED, TARGET_FAILED.
 */
export async function openTarget(
  request: RestoreRequest,
  backup: BackupReader,
  subject: string,
): Promise<RestoreTarget> {
  const { folder } = request;
  await rejectNothing(request, backup, folder === undefined ? [manifestFolder] : []);
  const target = folder === undefined ? await inPlace(request, backup, subject) : await prepareFolder(request, folder);
  if (!request.overwrite) return target;
  const leftovers = await rejectConflicts(request, backup, target);
  return leftovers.length === 0 ? target : { ...target, warnings: [...target.warnings, leftoverText(leftovers)] };
}

async function inPlace(request: RestoreRequest, backup: BackupReader, subject: string): Promise<RestoreTarget> {
  if (backup.manifest.driver !== 'files') {
    throw new TidemarkError('UNSUPPORTED', `a backup of ${backup.manifest.driver} has no place among files`, {
      subject,
      hint: 'Give the folder to restore into.',
    });
  }
  const existing = request.overwrite ? [] : await existingPaths(request, backup);
  if (existing.length === 0) return { root: '/', inPlace: true, leaveOut: [manifestFolder], warnings: [] };
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
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function prepareFolder(request: RestoreRequest, folder: string): Promise<RestoreTarget> {
  try {
    const repository = await repositoryAround(folder);
    if (repository !== undefined) throw inRepository(folder, repository);
    await makeFolders(folder);
    const entries = request.overwrite ? [] : await readdir(folder);
    if (entries.length > 0) throw notEmpty(`${folder} is not empty${entries.some(isTemporary) ? killed : ''}`);
    const root = await realpath(folder);
    const isLink = (await lstat(folder)).isSymbolicLink();
    const warnings = isLink ? [`${folder} is a symbolic link: what it leads to was written, ${root}`] : [];
    return { root, inPlace: false, leaveOut: [], warnings };
  } catch (error) {
    throw error instanceof TidemarkError ? error : unusable(folder, error as NodeJS.ErrnoException);
  }
}

const killed = ': a restore into it was killed, and `.tidemark-…` is what it was writing';

function leftoverText(paths: readonly string[]): string {
  return `a restore that was killed left unfinished files in the target, which can be removed: ${shownPaths(paths)}`;
}

function unusable(folder: string, cause: NodeJS.ErrnoException): TidemarkError {
  const refused = ['EACCES', 'EPERM', 'EROFS'].includes(cause.code ?? '');
  const why = reasons[cause.code ?? ''] ?? cause.message;
  return new TidemarkError(refused ? 'TARGET_DENIED' : 'TARGET_FAILED', `${folder} cannot be restored into: ${why}`, {
    hint: 'Give a folder that the user who runs tidemark may write, or one that can be made.',
    cause,
  });
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'something that is no folder stands there',
  ENOTDIR: 'a part of this path is no folder',
  ENOENT: 'no folder can be made there',
  EACCES: 'permission denied',
  EPERM: 'no folder may be made there',
  EROFS: 'its file system is mounted read-only',
  ENOSPC: 'no space left on its file system',
};

function inRepository(folder: string, repository: string): TidemarkError {
  const what = folder === repository ? 'is a repository' : `lies in the repository ${repository}`;
  return new TidemarkError('TARGET_NOT_EMPTY', `${folder} ${what}`, {
    hint: 'Nothing was written. Restore into a folder outside of it.',
  });
}

function notEmpty(message: string): TidemarkError {
  return new TidemarkError('TARGET_NOT_EMPTY', message, {
    hint: 'Restore into an empty folder, or allow to overwrite; files that the backup does not have stay in any case.',
  });
}
