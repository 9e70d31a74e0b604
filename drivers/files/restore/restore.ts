import { randomBytes } from 'node:crypto';
import type { BackupReader, RestoreRequest, RestoreResult, RestoreThreads } from '../../../core/driver/index.ts';
import { isAtOrBelow } from '../system/mount.ts';
import { UnmatchedPatterns } from '../unmatched.ts';
import { BatchWriter } from './batch-writer.ts';
import { NotRestoredList } from './not-restored-list.ts';
import { RestoreBatches } from './restore-batches.ts';
import { openTarget } from './restore-target.ts';
import type { RestoreReport, RestoreSetup, RestoreTarget, RestoreTask } from './restore-task.ts';
import { type RestoreFolder, restoreSteps } from './restore-walk.ts';
import { removeUnfinished } from './unfinished.ts';
import { seeStep } from './unmatched.ts';

const restoreThread = import.meta.resolve('./restore-thread.ts');

/**
 * Writes the tree of any backup into a folder, or that of a `files` backup back to where it was. Nothing is written when
 * the target holds data and `overwrite` is off (TARGET_NOT_EMPTY). Each file gets its name when it is whole, and files
 * that the backup does not have stay. What is damaged in the repository or refused by the target costs itself: it is
 * named, and the rest is restored. Success is said when the disk has everything (TARGET_FAILED).
 */
export async function restoreFiles(
  request: RestoreRequest,
  backup: BackupReader,
  subject: string,
): Promise<RestoreResult> {
  const target = await openTarget(request, backup, subject);
  const temporaryPrefix = `.tidemark-${randomBytes(6).toString('hex')}`;
  const { overwrite: replace, keepDamaged } = request;
  const setup = { root: target.root, replace, keepDamaged, temporaryPrefix };
  const threads = await backup.threads<RestoreSetup, RestoreTask, RestoreReport>(restoreThread, setup);
  const notRestored = new NotRestoredList();
  const writer = new BatchWriter({ threads, verify: request.verify, keepDamaged, notRestored });
  try {
    await using _ = threads;
    await writeAll(request, backup, target, { writer, temporaryPrefix, notRestored });
    request.progress.step('waiting until the disk has everything');
    await sync(threads);
  } finally {
    if (writer.current !== undefined) removeUnfinished(target.root, temporaryPrefix, threads.count, writer.current);
  }
  return resultOf(writer, notRestored, target);
}

interface Means {
  readonly writer: BatchWriter;
  readonly temporaryPrefix: string;
  readonly notRestored: NotRestoredList;
}

async function writeAll(
  request: RestoreRequest,
  backup: BackupReader,
  { inPlace, leaveOut }: RestoreTarget,
  { writer, temporaryPrefix, notRestored }: Means,
): Promise<void> {
  const ownsMetadata = inPlace ? belowSourcePaths(backup) : () => true;
  const batches = new RestoreBatches({ writer, temporaryPrefix, ownsMetadata });
  await using _ = { [Symbol.asyncDispose]: () => batches.settle() };
  const unmatched = new UnmatchedPatterns(request.only);
  for await (const step of restoreSteps(backup, request.only, leaveOut)) {
    request.signal.throwIfAborted();
    seeStep(unmatched, step);
    if (step.kind === 'entry') await batches.add(step.folder, step.node);
    if (step.kind === 'lost') {
      notRestored.add(step.folder.path, 'damaged', `nothing of this folder is known: ${step.damage.message}`);
    }
    if (step.kind === 'enter' || (step.kind === 'lost' && request.keepDamaged)) batches.enter(step.folder);
    if (step.kind === 'leave' || (step.kind === 'lost' && request.keepDamaged)) await batches.leave(step.folder);
  }
  await batches.end();
  for (const pattern of unmatched.texts) notRestored.addPattern(pattern);
}

/** Folders above the paths of the source exist on their own account: their metadata stays. */
function belowSourcePaths(backup: BackupReader): (folder: RestoreFolder) => boolean {
  const paths = backup.manifest.contents.map((one) => String(one.path));
  return ({ path }) => paths.some((source) => isAtOrBelow(`/${path}`, source));
}

/** Each thread knows where it wrote to. */
async function sync(threads: RestoreThreads<RestoreTask, RestoreReport>): Promise<void> {
  const numbers = Array.from({ length: threads.count }, (_, thread) => thread);
  await Promise.all(numbers.map((thread) => threads.runOn(thread, { kind: 'sync' })));
}

function resultOf(
  { items, bytes, counts }: BatchWriter,
  { listed, notListed, count }: NotRestoredList,
  target: RestoreTarget,
): RestoreResult {
  const incomplete = warningsOf(counts);
  return {
    items,
    bytes,
    warnings: [...target.warnings, ...incomplete],
    notRestored: listed,
    notListed,
    partial: count > 0 || incomplete.length > 0,
  };
}

function warningsOf({ owners, modes, times, attributes }: BatchWriter['counts']): string[] {
  const warnings: string[] = [];
  if (owners > 0) warnings.push(`the owner of ${owners} entries could not be set; only root may`);
  if (modes > 0) warnings.push(`the permissions of ${modes} entries could not be set`);
  if (times > 0) warnings.push(`the times of ${times} entries could not be set`);
  if (attributes > 0) warnings.push(`${attributes} extended attributes could not be set`);
  return warnings;
}
