import type { BackupWithManifest } from '../catalog/index.ts';
import type { Resource } from '../config/index.ts';
import type { Manifest, Node, Run, TreeReader } from '../driver/index.ts';
import type { TidemarkError } from '../error.ts';
import type { BackupReading, Repository, Snapshot } from '../repository/index.ts';
import { recordOf } from './backup-record.ts';
import type { OperationContext } from './context.ts';
import { openRepository, withSubject } from './open.ts';

export interface ImportOutcome {
  readonly found: number;
  readonly added: number;
  readonly removed: number;
  /** Snapshots that could not be read, and why. */
  readonly damaged: readonly TidemarkError[];
}

/**
 * Makes the catalog know exactly the backups that a destination holds, also those that restic itself made. A destination
 * that is not applied becomes so: after the loss of the catalog a backup can be restored while sources are still down.
 */
export async function importBackups(
  context: OperationContext,
  destination: Resource,
  run: Run,
): Promise<ImportOutcome> {
  await using open = await openRepository(context, destination, run.signal);
  return await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock('shared', run.signal);
    const locked = { ...run, signal: AbortSignal.any([run.signal, lock.signal]) };
    const { records, damaged } = await readBackups(context, open.repository, destination.name, locked);
    await adopt(context, destination, open.repository.id);
    const counts = await context.catalog.backups.replace(destination.name, records);
    return { found: records.length, ...counts, damaged };
  });
}

async function readBackups(
  context: OperationContext,
  repository: Repository,
  destination: string,
  run: Run,
): Promise<{ records: BackupWithManifest[]; damaged: TidemarkError[] }> {
  const damaged: TidemarkError[] = [];
  const records: BackupWithManifest[] = [];
  for await (const snapshot of repository.snapshots(run.signal, (error) => damaged.push(error))) {
    run.progress.step(`reading snapshot ${snapshot.id.slice(0, 8)}`);
    const manifest = await readManifest(context, repository, snapshot, run);
    records.push(recordOf(manifest, { destination, snapshot: snapshot.id }));
    run.progress.add({ items: 1 });
  }
  return { records, damaged };
}

async function adopt({ catalog }: OperationContext, destination: Resource, identity: string): Promise<void> {
  const { serial, resources } = await catalog.state.read();
  if (resources.has(destination.address)) return;
  await catalog.state.commit({ expectedSerial: serial, put: [{ ...destination, identity }], remove: [], rename: [] });
}

async function readManifest(
  context: OperationContext,
  repository: Repository,
  snapshot: Snapshot,
  run: Run,
): Promise<Manifest> {
  await using reading: BackupReading = await repository.read(snapshot, { ...run, threads: context.process.threads });
  if (!reading.isForeign) return reading.manifest;
  return { ...reading.manifest, totals: await countTree(reading, reading.rootTree) };
}

/** A snapshot of restic's does not say how much is in it. */
async function countTree(reader: TreeReader, id: string): Promise<{ items: number; bytes: number }> {
  const totals = { items: 0, bytes: 0 };
  const folders = [id];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const node of await reader.tree(folder)) countNode(node, totals, folders);
  }
  return totals;
}

function countNode(node: Node, totals: { items: number; bytes: number }, folders: string[]): void {
  totals.items += 1;
  totals.bytes += node.content?.sizeBytes ?? 0;
  if (node.subtree !== undefined) folders.push(node.subtree);
}
