import type { Node, TreeReader } from '../../../../core/driver/index.ts';

/**
 * A parent backup that knows these folders, and those above them, and nothing in them. A walk asks for each right before
 * it lists it and waits for the answer: `asked` has it held there for as long as it likes.
 */
export function knownFolders(paths: readonly string[], asked: (path: string) => Promise<void> | void): TreeReader {
  const known = new Set(paths.flatMap((path) => [path, ...foldersAbove(path)]));
  const all = [...known].sort();
  const id = (path: string) => String(all.indexOf(path)).padStart(64, '0');
  const nodesOf = (tree: string) => {
    const children = all.filter((path) => path !== '/' && parentOf(path) === all[Number(tree)]);
    return children.map((path) => ({ name: path.slice(path.lastIndexOf('/') + 1), type: 'dir', subtree: id(path) }));
  };
  const encodedTree = async (tree: string) => {
    await asked(all[Number(tree)]!);
    const nodes = nodesOf(tree);
    return new Uint8Array(Buffer.from(JSON.stringify({ nodes })));
  };
  return { rootTree: id('/'), encodedTree, tree: async (tree) => nodesOf(tree) as Node[] };
}

/** `work` is done when the walk is about to list `pending` and has listed `listed`, which must have a folder `inner`. */
export function whileListed(listed: string, pending: string, work: () => void): TreeReader {
  const inner = Promise.withResolvers<void>();
  return knownFolders([`${listed}/inner`, pending], async (path) => {
    if (path === `${listed}/inner`) inner.resolve();
    if (path !== pending) return;
    await inner.promise;
    work();
  });
}

function foldersAbove(path: string): string[] {
  return path === '/' ? [] : [parentOf(path), ...foldersAbove(parentOf(path))];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
