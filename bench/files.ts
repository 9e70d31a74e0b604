import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Contenders, Lab } from './lab.ts';
import { measure, measureStored, type Sample } from './measure.ts';
import { type ResticProgram, resticPrograms } from './restic-programs.ts';
import { diskTarget, memoryTarget, type RestoreTarget } from './restore-target.ts';
import { openTidemark } from './tidemark.ts';
import { changeTree, makeLargeFiles, makeTree, type Tree } from './tree.ts';

/** What both can do with a tree of files. */
export interface Contender {
  reset(): Promise<void>;
  backup(): Promise<Sample>;
  restore(into: string): Promise<Sample>;
  /** Which backups there are. */
  list(): Promise<Sample>;
}

const timeoutMs = 60 * 60_000;

/** Backup and restore of a tree of files, against the newest restic and the one of this machine. */
export async function files(lab: Lab): Promise<void> {
  const names = ['files-first', 'files-unchanged', 'files-changed', 'files-restore', 'files-restore-memory'];
  if (!names.some(lab.wants)) return;
  const tree = makeTree(lab.dataFolder, lab.seed, lab.scale);
  const contenders = await openContenders(lab, tree.folder);
  const backup = eachOf(contenders, (who) => who.backup());
  await compareFirst(lab, 'files-first', contenders);
  if (lab.wants('files-unchanged')) await lab.compare('files-unchanged', backup);
  if (lab.wants('files-changed')) await lab.compare('files-changed', changing(tree, backup));
  await compareRestores(lab, 'files-restore', contenders, tree);
  for (const name of contenders.keys()) await lab.emptyFolder(name);
}

/** The same of a few large files. */
export async function largeFiles(lab: Lab): Promise<void> {
  if (!['large-first', 'large-restore', 'large-restore-memory'].some(lab.wants)) return;
  const tree = makeLargeFiles(lab.dataFolder, lab.seed, lab.scale);
  const contenders = await openContenders(lab, tree.folder);
  await compareFirst(lab, 'large-first', contenders);
  await compareRestores(lab, 'large-restore', contenders, tree);
  for (const name of contenders.keys()) await lab.emptyFolder(name);
}

type Named = ReadonlyMap<string, Contender>;

function eachOf(contenders: Named, work: (who: Contender, round: number) => Promise<Sample>): Contenders {
  return Object.fromEntries([...contenders].map(([name, who]) => [name, (round: number) => work(who, round)]));
}

/** Whether it is measured or not, everybody has a backup afterwards. */
async function compareFirst(lab: Lab, name: string, contenders: Named): Promise<void> {
  if (lab.wants(name)) await lab.compare(name, eachOf(contenders, first));
  else for (const who of contenders.values()) await first(who);
}

async function first(who: Contender): Promise<Sample> {
  await who.reset();
  return who.backup();
}

/** Onto a disk, and into memory. */
async function compareRestores(lab: Lab, name: string, contenders: Named, tree: Tree): Promise<void> {
  const sizeBytes = tree.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const restores = (target: () => Promise<RestoreTarget | undefined>) =>
    eachOf(contenders, async (who, round) => {
      await using into = await target();
      if (into === undefined) throw new Error(`/dev/shm has no room for ${name}-memory`);
      const sample = await who.restore(into.folder);
      if (round === 1) await compareTrees(tree.folder, into.folder);
      return sample;
    });
  if (lab.wants(name))
    await lab.compare(
      name,
      restores(() => diskTarget(lab, sizeBytes)),
    );
  if (lab.wants(`${name}-memory`))
    await lab.compare(
      `${name}-memory`,
      restores(() => memoryTarget(sizeBytes)),
    );
}

/** Every restic, then tidemark, by name; each with a folder of its own. */
export async function openContenders(lab: Lab, path: string): Promise<ReadonlyMap<string, Contender>> {
  const contenders = new Map<string, Contender>();
  for (const program of await resticPrograms(lab.dataFolder))
    contenders.set(program.name, await openRestic(program, await lab.emptyFolder(program.name), path));
  return contenders.set('tidemark', await openTidemarkFiles(await lab.emptyFolder('tidemark'), path));
}

/** Whoever comes first in a round changes the tree for all. */
function changing(tree: Tree, contenders: Contenders): Contenders {
  let changedIn = 0;
  const changed = (backup: Contenders[string]) => (round: number) => {
    if (changedIn !== round) changeTree(tree, 0.01, round);
    changedIn = round;
    return backup(round);
  };
  return Object.fromEntries(Object.entries(contenders).map(([name, backup]) => [name, changed(backup)]));
}

/** A restore puts the tree either right into the folder or, like restic, below it with its full path. */
async function compareTrees(original: string, into: string): Promise<void> {
  const restored = existsSync(join(into, original)) ? join(into, original) : into;
  await runOk('diff', ['--recursive', '--brief', original, restored], { timeoutMs });
}

async function openRestic({ command }: ResticProgram, folder: string, path: string): Promise<Contender> {
  const repository = join(folder, 'repository');
  const passwordFile = join(folder, 'password');
  const cacheFolder = join(folder, 'cache');
  const common = ['--quiet', '--repo', repository, '--password-file', passwordFile, '--cache-dir', cacheFolder];
  return {
    reset: async () => {
      for (const old of [repository, cacheFolder]) await rm(old, { recursive: true, force: true });
      await mkdir(repository);
      await writeFile(passwordFile, 'bench', { mode: 0o600 });
      await runOk(command, [...common, 'init', '--repository-version', '2']);
    },
    backup: () => measureStored(repository, () => measure(command, [...common, 'backup', path])),
    // Until the disk has it, as tidemark does: restic ends before.
    restore: (into) =>
      measure('sh', [
        '-c',
        'into=$1; restic=$2; shift 2; "$restic" "$@" restore latest --target "$into" && sync -f "$into"',
        'sh',
        into,
        command,
        ...common,
      ]),
    list: () => measure(command, [...common, 'snapshots']),
  };
}

async function openTidemarkFiles(folder: string, path: string): Promise<Contender> {
  const tidemark = await openTidemark(folder, {
    sources: { tree: { driver: 'files', paths: [path] } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
  });
  return {
    reset: tidemark.reset,
    backup: () => measureStored(tidemark.repositoryFolder, () => tidemark.measure(['backup', 'tree'])),
    restore: (into) => tidemark.measure(['restore', 'tree', '--into', into]),
    list: () => tidemark.measure(['status']),
  };
}
