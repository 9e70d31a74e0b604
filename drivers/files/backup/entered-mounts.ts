import { isAtOrBelow, type Mount, readMounts } from '../system/mount.ts';
import { remounted } from './folder-listing.ts';
import type { ScanProblem } from './scan-task.ts';
import type { Selection } from './selection.ts';
import type { SourcePath } from './source-paths.ts';

export interface EnteredMount extends Mount {
  readonly source: SourcePath;
}

/** What is mounted now at or below the paths of the source, where a walk that enters other file systems goes into it. */
export async function enteredMounts(
  sources: readonly SourcePath[],
  selection: Selection,
): Promise<readonly EnteredMount[]> {
  const mounts = await readMounts();
  return sources.flatMap((source) =>
    mounts
      .filter(({ point }) => isAtOrBelow(point, source.path) && selection.enters(source.path, point))
      .map((mount) => ({ ...mount, source })),
  );
}

/**
 * What was mounted or unmounted between two looks. The folders that were listed do not tell of a file system that went
 * before the folder of its mount point was.
 */
export function mountChanges(before: readonly Mount[], after: readonly Mount[]): ScanProblem[] {
  const [was, is] = [new Set(before.map(numberOf)), new Set(after.map(numberOf))];
  const went = before.filter((mount) => !is.has(numberOf(mount)));
  const came = after.filter((mount) => !was.has(numberOf(mount)));
  const points = new Set([...went, ...came].map(({ point }) => point));
  return [...points].map((path) => ({ kind: 'unreadable', path, reason: remounted }));
}

/** The system gives numbers anew when they are free. */
function numberOf({ id, point }: Mount): string {
  return `${id} ${point}`;
}
