import { lstat, readdir } from 'node:fs/promises';
import type { ParentBackup } from '../../../core/driver/index.ts';
import { encodeName } from '../../../core/path-bytes.ts';
import { isAtOrBelow } from '../system/mount.ts';
import { emptiedIn, held } from './emptied.ts';
import type { EnteredMount } from './entered-mounts.ts';
import type { PathTotals, Unmounted } from './scan-summary.ts';
import type { Selection } from './selection.ts';
import type { SourcePath } from './source-paths.ts';

export interface UnmountedOptions {
  readonly sources: readonly SourcePath[];
  /** Paths of the source that are empty all at once. */
  readonly emptied: ReadonlySet<SourcePath>;
  readonly selection: Selection;
  readonly parent?: ParentBackup;
  /** At the start and at the end of this backup. */
  readonly before: readonly EnteredMount[];
  readonly after: readonly EnteredMount[];
}

/**
 * Mount points below the paths of the source, of the parent backup and of the start of this one, that are empty folders of
 * the file system above now, or lie below one, and so cannot be seen. As with a path that was emptied, the parent of the next
 * backup is this one: it says which they are.
 */
export async function unmounted(options: UnmountedOptions): Promise<Unmounted[]> {
  const found: Unmounted[] = [];
  for (const { source, point } of pointsBefore(options)) {
    const hidden = options.emptied.has(source) || found.some((one) => isAtOrBelow(point, one.point));
    if (!hidden && !(await isEmptyFolder(point))) continue;
    const before = await heldBefore(options, point);
    if (before !== 'nothing') found.push({ source, point, before, hidden });
  }
  return found;
}

/** In the order of the tree, without what is mounted. */
function pointsBefore({ sources, selection, parent, before, after }: UnmountedOptions) {
  const said = saidBy(parent).flatMap((one) => [...(one.mounts ?? []), ...emptiedIn(one)]);
  const points = new Set([...said, ...before.map(({ point }) => point)]);
  for (const { point } of after) points.delete(point);
  return [...points].sort().flatMap((point) => {
    const source = sources.find(({ path }) => path !== point && isAtOrBelow(point, path));
    return source && selection.enters(source.path, point) ? [{ source, point }] : [];
  });
}

/** What went while this backup ran was there. */
async function heldBefore(
  { parent, before }: UnmountedOptions,
  point: string,
): Promise<Unmounted['before'] | 'nothing'> {
  const isKnown = saidBy(parent).some((one) => emptiedIn(one).includes(point));
  if (isKnown || before.some((one) => one.point === point)) return 'something';
  return parent ? held(parent, point) : 'nothing';
}

function saidBy(parent: ParentBackup | undefined): readonly Partial<PathTotals>[] {
  return parent?.manifest?.contents ?? [];
}

/** A folder that nobody can see into is one, too. */
async function isEmptyFolder(path: string): Promise<boolean> {
  try {
    const name = encodeName(path);
    return (await lstat(name)).isDirectory() && (await readdir(name)).length === 0;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
