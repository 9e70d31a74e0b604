import type { BackupRecord } from '../catalog/index.ts';
import type { Node, Run, TreeReader } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import type { OperationContext } from './context.ts';
import { appliedResource, openRepository } from './open.ts';

/** An entry of a backup's tree, by its whole path. */
export interface Entry {
  readonly path: string;
  readonly node: Node;
  /** When it was last modified. */
  readonly changedAt: Date;
}

/** The entries right in one folder of a backup, or the one that `path` names. Throws BACKUP_NOT_FOUND for no such path. */
export async function listEntries(
  context: OperationContext,
  backup: BackupRecord,
  path: string,
  run: Run,
): Promise<readonly Entry[]> {
  const destination = await appliedResource(context, `destinations.${backup.destination}`);
  await using open = await openRepository(context, destination, run.signal);
  const snapshot = await open.repository.snapshot(backup.snapshot, run.signal);
  await using reading = await open.repository.salvage(snapshot, { ...run, threads: context.process.threads });
  return await entriesAt(reading, path, backup.id);
}

/** The JSON of an entry: see `docs/reference/json.md`. */
export function entryJson({ path, node, changedAt }: Entry) {
  const { type, mode, uid, gid, user, group, linkTarget } = node;
  return { path, type, mode, uid, gid, user, group, sizeBytes: node.content?.sizeBytes, changedAt, linkTarget };
}

async function entriesAt(reader: TreeReader, path: string, backup: string): Promise<readonly Entry[]> {
  let folder = '';
  let nodes = await reader.tree(reader.rootTree);
  for (const name of path.split('/').filter((part) => part !== '')) {
    const node = nodes.find((one) => one.name === name);
    if (node === undefined) throw notThere(`${folder}/${name}`, backup);
    if (node.subtree === undefined) return [entry(`${folder}/${name}`, node)];
    folder = `${folder}/${name}`;
    nodes = await reader.tree(node.subtree);
  }
  return nodes.map((node) => entry(`${folder}/${node.name}`, node));
}

function entry(path: string, node: Node): Entry {
  return { path, node, changedAt: new Date(Number(node.mtimeNs / 1_000_000n)) };
}

function notThere(path: string, backup: string): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `there is no ${path} in the backup`, {
    hint: `See what there is with \`tidemark show ${backup} --tree /\`.`,
  });
}
