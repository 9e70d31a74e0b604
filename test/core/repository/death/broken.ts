/** Repositories that are damaged, what can be read of them, and their repair. */
import { rm, stat } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { Store } from '../../../../core/driver/index.ts';
import { hasCode } from '../../../../core/error.ts';
import type { BackupReading, RepairPlan, Repository, Snapshot } from '../../../../core/repository/index.ts';
import { filesIn, flip } from '../check/check-kit.ts';
import { newPlace, noProgress, noSignal, readContent } from '../repository-kit.ts';
import { backUp, filesOf, nameOf } from './backups.ts';
import { openAlone } from './works.ts';

const work = { threads: 1, progress: noProgress, signal: noSignal };

/** What one backup stored. */
interface Stored {
  readonly data: string;
  readonly trees: string;
  readonly index: string;
  readonly snapshot: string;
}

/** Of three backups, by what is damaged. All that a repair does is done by one of them. */
export const breakages: Readonly<Record<string, (...stored: Stored[]) => Promise<void>>> = {
  'bad packs': async (first, second, third) => {
    await flip(first!.data, 6000); // one file; the pack has others
    await rm(second!.data);
    await flip(third!.trees, 20);
  },
  'a bad index, a bad snapshot and a bad list of blobs': async (first, second, third) => {
    await flip(first!.index);
    await flip(second!.snapshot);
    await flip(third!.data, -20);
  },
};

/** The folder of a repository that is damaged so. */
export async function broken(t: TestContext, breakage: string): Promise<string> {
  const { folder, repository } = await newPlace(t);
  const stored: Stored[] = [];
  const known = new Set<string>();
  for (const name of ['first', 'second', 'third']) {
    await backUp(repository, name);
    stored.push(await newIn(folder, known));
  }
  await breakages[breakage]!(...stored);
  return folder;
}

async function newIn(folder: string, known: Set<string>): Promise<Stored> {
  const fresh = async (kind: string) => {
    const found = (await filesIn(folder, kind)).filter((path) => !known.has(path));
    for (const path of found) known.add(path);
    return found;
  };
  const packs = await fresh('data');
  const sizes = await Promise.all(packs.map(async (path) => (await stat(path)).size));
  const [data, trees] = sizes[0]! > sizes[1]! ? packs : packs.toReversed();
  const [[index], [snapshot]] = [await fresh('index'), await fresh('snapshots')];
  return { data: data!, trees: trees!, index: index!, snapshot: snapshot! };
}

export async function planRepair(repository: Repository): Promise<RepairPlan> {
  await using _ = await repository.lock('shared', noSignal);
  return await repository.planRepair({ read: { share: 1 } }, work);
}

export async function repair(repository: Repository, plan: RepairPlan): Promise<void> {
  await using lock = await repository.lock('exclusive', noSignal, 'prune');
  const options = { manifestOf: async () => undefined, onChange: async () => {} };
  await repository.repair(lock, plan, options, work);
}

/** Files that can be read, as `first deep/own`; all that there are by `salvage`. Throws for one that is not as it was. */
export async function readable(store: Store, by: 'read' | 'salvage'): Promise<Set<string>> {
  const repository = await openAlone(store);
  const found = new Set<string>();
  for await (const snapshot of repository.snapshots(noSignal, () => {})) {
    await using backup = await opened(repository, snapshot, by);
    if (backup !== undefined) await addFiles(backup, snapshot.tree, nameOf(snapshot), '', found);
  }
  return found;
}

function opened(repository: Repository, snapshot: Snapshot, by: 'read' | 'salvage') {
  return ifWhole(() => repository[by](snapshot, work));
}

async function addFiles(backup: BackupReading, tree: string, name: string, below: string, found: Set<string>) {
  for (const node of (await ifWhole(() => backup.tree(tree))) ?? []) {
    const path = `${below}${node.name}`;
    if (node.subtree !== undefined) await addFiles(backup, node.subtree, name, `${path}/`, found);
    const bytes = node.content && (await ifWhole(() => readContent(backup, node.content!)));
    if (bytes === undefined) continue;
    if (!filesOf(name).get(path)?.equals(bytes)) throw new Error(`${path} of ${name} has other bytes than it had`);
    found.add(`${name} ${path}`);
  }
}

async function ifWhole<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return undefined;
  }
}
