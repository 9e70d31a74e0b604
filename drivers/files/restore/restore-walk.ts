import type { Node, TreeReader } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { pathPatterns } from '../pattern.ts';
import { childPath } from './restore-task.ts';

/** A folder of the backup on the way down. */
export interface RestoreFolder {
  /** Relative to the root of the backup, empty for the root itself. */
  readonly path: string;
  readonly up?: RestoreFolder;
  readonly node?: Node;
  /** True when the folder itself is wanted, not only something below it. */
  readonly selected: boolean;
}

export type RestoreStep =
  | { readonly kind: 'enter'; readonly folder: RestoreFolder }
  | { readonly kind: 'leave'; readonly folder: RestoreFolder }
  | { readonly kind: 'entry'; readonly folder: RestoreFolder; readonly node: Node };

/**
 * The wanted part of a backup, depth first. Throws TARGET_UNSAFE for names that would lead out of their folder, as a
 * backup made by someone else may hold them.
 */
export async function* restoreSteps(
  backup: TreeReader,
  only: readonly string[],
  leaveOut: readonly string[],
): AsyncGenerator<RestoreStep> {
  const patterns = only.length > 0 ? pathPatterns(only) : undefined;
  const root: RestoreFolder = { path: '', selected: patterns === undefined };
  yield* below(root, backup.rootTree);

  async function* below(folder: RestoreFolder, tree: string): AsyncGenerator<RestoreStep> {
    const nodes = await backup.tree(tree);
    rejectUnsafeNames(nodes, folder.path);
    for (const node of nodes) {
      if (folder.path === '' && leaveOut.includes(node.name)) continue;
      const path = childPath(folder.path, node.name);
      const selected = folder.selected || patterns!.matches(`/${path}`, node.name);
      if (node.type !== 'dir') {
        if (selected) yield { kind: 'entry', folder, node };
      } else if (selected || patterns!.mayMatchBelow(`/${path}`)) {
        const child = { path, up: folder, node, selected };
        yield { kind: 'enter', folder: child };
        yield* below(child, subtreeOf(node, path));
        yield { kind: 'leave', folder: child };
      }
    }
  }
}

function rejectUnsafeNames(nodes: readonly Node[], folder: string): void {
  const names = new Set<string>();
  for (const { name } of nodes) {
    const unsafe = name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0');
    if (unsafe || names.has(name)) {
      const what = unsafe ? 'is not the name of a file' : 'is there twice';
      throw new TidemarkError('TARGET_UNSAFE', `${JSON.stringify(childPath(folder, name))} of the backup ${what}`, {
        hint: 'Nothing of this folder was restored. Find out who wrote this backup.',
      });
    }
    names.add(name);
  }
}

function subtreeOf(node: Node, path: string): string {
  if (node.subtree !== undefined) return node.subtree;
  throw new TidemarkError('REPOSITORY_CORRUPT', `folder ${path} of the backup has no tree`);
}
