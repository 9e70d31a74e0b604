import type { Node, TreeReader } from '../../../core/driver/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
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
  /** What is in the folder cannot be read: its list is damaged in the repository. */
  | { readonly kind: 'lost'; readonly folder: RestoreFolder; readonly damage: TidemarkError }
  | { readonly kind: 'entry'; readonly folder: RestoreFolder; readonly node: Node };

/**
 * The wanted part of a backup, depth first; `mayEnter` keeps out of folders. Throws TARGET_UNSAFE for names that would
 * lead out of their folder, as a backup made by someone else may hold them, and REPOSITORY_CORRUPT without the root.
 */
export async function* restoreSteps(
  backup: TreeReader,
  only: readonly string[],
  leaveOut: readonly string[],
  mayEnter: (folder: RestoreFolder) => boolean = () => true,
): AsyncGenerator<RestoreStep> {
  const patterns = only.length > 0 ? pathPatterns(only) : undefined;
  const root: RestoreFolder = { path: '', selected: patterns === undefined };
  yield* inside(root, await backup.tree(backup.rootTree));

  async function* inside(folder: RestoreFolder, nodes: readonly Node[]): AsyncGenerator<RestoreStep> {
    rejectUnsafeNames(nodes, folder.path);
    for (const node of nodes) {
      if (folder.path === '' && leaveOut.includes(node.name)) continue;
      const path = childPath(folder.path, node.name);
      const selected = folder.selected || patterns!.matches(`/${path}`, node.name);
      if (node.type !== 'dir') {
        if (selected) yield { kind: 'entry', folder, node };
      } else if (selected || patterns!.mayMatchBelow(`/${path}`)) {
        const child = { path, up: folder, node, selected };
        if (mayEnter(child)) yield* folderSteps(child, node);
      }
    }
  }

  async function* folderSteps(folder: RestoreFolder, node: Node): AsyncGenerator<RestoreStep> {
    const nodes = await nodesOf(backup, node, folder.path);
    if (nodes instanceof TidemarkError) {
      yield { kind: 'lost', folder, damage: nodes };
      return;
    }
    yield { kind: 'enter', folder };
    yield* inside(folder, nodes);
    yield { kind: 'leave', folder };
  }
}

async function nodesOf(backup: TreeReader, node: Node, path: string): Promise<readonly Node[] | TidemarkError> {
  try {
    return await backup.tree(subtreeOf(node, path));
  } catch (error) {
    if (hasCode(error, 'REPOSITORY_CORRUPT')) return error;
    throw error;
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
