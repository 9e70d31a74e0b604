import { lstat } from 'node:fs/promises';
import type { ScanProblem } from './scan-task.ts';
import type { SourcePath } from './source-paths.ts';

/**
 * What of that which was gone, when it was to be read, was not deleted: it is there at the end, so it was just being
 * replaced. And the sources whose file system was unmounted meanwhile, which looks as if all in it had been deleted.
 */
export async function lookAgain(
  sources: readonly SourcePath[],
  vanished: Iterable<string>,
  signal: AbortSignal,
): Promise<ScanProblem[]> {
  const problems: ScanProblem[] = [];
  const add = (path: string, reason: string) => problems.push({ kind: 'unreadable', path, reason });
  for (const { path, isFolder, deviceId } of sources) {
    const now = isFolder ? await deviceOf(`${path}/`) : undefined;
    if (now !== undefined && now !== deviceId)
      add(path, 'its file system was unmounted, or mounted, while it was read');
  }
  for (const path of vanished) {
    signal.throwIfAborted();
    if ((await deviceOf(path)) !== undefined) add(path, 'it was being replaced by another when it was to be read');
  }
  return problems;
}

/** Undefined where nothing is. */
async function deviceOf(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).dev;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
