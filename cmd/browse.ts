import { requireResource } from '../core/applied.ts';
import type { BackupRecord } from '../core/catalog/index.ts';
import type { Node, TreeReader } from '../core/driver/index.ts';
import { TidemarkError } from '../core/error.ts';
import { type OperationContext, openRepository } from '../core/operation/index.ts';
import { noProgress } from './views/progress.ts';

/** An entry of a backup's tree, by its whole path. */
export interface Entry {
  readonly path: string;
  readonly node: Node;
}

/** The entries right in one folder of a backup, or the one that `path` names. Throws BACKUP_NOT_FOUND for no such path. */
export async function listEntries(
  context: OperationContext,
  backup: BackupRecord,
  path: string,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const destination = await requireResource(context.catalog, 'destinations', backup.destination);
  await using open = await openRepository(context, destination, signal);
  const snapshot = await open.repository.snapshot(backup.snapshot, signal);
  const work = { threads: context.process.threads, progress: noProgress, signal };
  await using reading = await open.repository.read(snapshot, work);
  return await entriesAt(reading, path, backup.id);
}

async function entriesAt(reader: TreeReader, path: string, backup: string): Promise<readonly Entry[]> {
  let folder = '';
  let nodes = await reader.tree(reader.rootTree);
  for (const name of path.split('/').filter((part) => part !== '')) {
    const node = nodes.find((one) => one.name === name);
    if (node === undefined) throw notThere(`${folder}/${name}`, backup);
    if (node.subtree === undefined) return [{ path: `${folder}/${name}`, node }];
    folder = `${folder}/${name}`;
    nodes = await reader.tree(node.subtree);
  }
  return nodes.map((node) => ({ path: `${folder}/${node.name}`, node }));
}

function notThere(path: string, backup: string): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `there is no ${path} in the backup`, {
    hint: `See what there is with \`tidemark show ${backup} --tree /\`.`,
  });
}
