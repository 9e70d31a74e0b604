import type { Node, ParentBackup, TreeReader } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import type { Emptied, PathTotals } from './scan-summary.ts';
import type { SourcePath } from './source-paths.ts';

/**
 * Of these paths, which are folders that hold nothing, or no folders, those that held something in the parent backup, or may
 * have, or were said by it to have been emptied: otherwise the second backup of a file system that is not mounted, or of
 * the link that was left where a folder had been, would pass for a whole one.
 */
export async function emptied(sources: readonly SourcePath[], parent: ParentBackup): Promise<Emptied[]> {
  const said = (parent.manifest?.contents ?? []) as readonly Partial<PathTotals>[];
  const found: Emptied[] = [];
  for (const source of sources) {
    const wasEmptied = said.some((one) => emptiedIn(one).includes(source.path));
    const before = wasEmptied ? 'something' : await held(parent, source.path);
    const counts = source.isFolder ? before !== 'nothing' : before === 'something'; // a file may always have been one
    if (counts) found.push({ source, before: before as Emptied['before'] });
  }
  return found;
}

/** The path of a source may have changed since, to one above or below. */
export function emptiedIn({ path, emptied, unmounted }: Partial<PathTotals>): string[] {
  return [...(path !== undefined && emptied === true ? [path] : []), ...(unmounted ?? [])];
}

/** What a path that was a folder held. */
export async function held(parent: TreeReader, path: string): Promise<Emptied['before'] | 'nothing'> {
  try {
    let tree: string | undefined = parent.rootTree;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const nodes: readonly Node[] = tree === undefined ? [] : await parent.tree(tree);
      tree = nodes.find((node) => node.name === name)?.subtree;
    }
    return tree !== undefined && (await holdsSomething(parent, tree)) ? 'something' : 'nothing';
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return 'unknown';
  }
}

async function holdsSomething(parent: TreeReader, tree: string): Promise<boolean> {
  const nodes = await parent.tree(tree);
  if (nodes.some((node) => node.type !== 'dir')) return true;
  for (const { subtree } of nodes) if (subtree !== undefined && (await holdsSomething(parent, subtree))) return true;
  return false;
}
