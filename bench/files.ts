import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Lab } from './lab.ts';
import { measure, measureStored, type Sample } from './measure.ts';
import { openTidemark } from './tidemark.ts';
import { changeTree, makeTree, type Tree } from './tree.ts';

/** What both can do with the tree. */
interface Contender {
  reset(): Promise<void>;
  backup(): Promise<Sample>;
  restore(into: string): Promise<Sample>;
}

const timeoutMs = 60 * 60_000;

/** Backup and restore of a tree of files, against the restic of this machine. */
export async function files(lab: Lab): Promise<void> {
  const names = ['files-first', 'files-unchanged', 'files-changed', 'files-restore'] as const;
  if (!names.some(lab.wants)) return;
  const tree = makeTree(lab.dataFolder, lab.seed, lab.scale);
  const restic = await openRestic(await lab.emptyFolder('restic'), tree);
  const tidemark = await openTidemarkFiles(await lab.emptyFolder('tidemark'), tree);

  const first = async (who: Contender) => {
    await who.reset();
    return who.backup();
  };
  if (lab.wants('files-first')) {
    await lab.compare('files-first', { restic: () => first(restic), tidemark: () => first(tidemark) });
  } else {
    for (const who of [restic, tidemark]) await first(who);
  }
  if (lab.wants('files-unchanged'))
    await lab.compare('files-unchanged', { restic: restic.backup, tidemark: tidemark.backup });
  if (lab.wants('files-changed')) await compareChanged(lab, tree, restic, tidemark);
  if (lab.wants('files-restore')) await compareRestore(lab, tree, restic, tidemark);
  for (const name of ['restic', 'tidemark', 'restored']) await lab.emptyFolder(name);
}

async function compareChanged(lab: Lab, tree: Tree, restic: Contender, tidemark: Contender): Promise<void> {
  await lab.compare('files-changed', {
    restic: async (round) => {
      changeTree(tree, 0.01, round);
      return restic.backup();
    },
    tidemark: tidemark.backup,
  });
}

async function compareRestore(lab: Lab, tree: Tree, restic: Contender, tidemark: Contender): Promise<void> {
  const restore = async (who: Contender, isFirst: boolean) => {
    const into = await lab.emptyFolder('restored');
    const sample = await who.restore(into);
    if (isFirst) await compareTrees(tree.folder, into);
    return sample;
  };
  await lab.compare('files-restore', {
    'restic, then sync -f': (round) => restore(restic, round === 1),
    tidemark: (round) => restore(tidemark, round === 1),
  });
}

/** A restore puts the tree either right into the folder or, like restic, below it with its full path. */
async function compareTrees(original: string, into: string): Promise<void> {
  const restored = existsSync(join(into, original)) ? join(into, original) : into;
  await runOk('diff', ['--recursive', '--brief', original, restored], { timeoutMs });
}

async function openRestic(folder: string, tree: Tree): Promise<Contender> {
  const repository = join(folder, 'repository');
  const passwordFile = join(folder, 'password');
  const cacheFolder = join(folder, 'cache');
  const common = ['--quiet', '--repo', repository, '--password-file', passwordFile, '--cache-dir', cacheFolder];
  return {
    reset: async () => {
      for (const old of [repository, cacheFolder]) await rm(old, { recursive: true, force: true });
      await mkdir(repository);
      await writeFile(passwordFile, 'bench', { mode: 0o600 });
      await runOk('restic', [...common, 'init', '--repository-version', '2']);
    },
    backup: () => measureStored(repository, () => measure('restic', [...common, 'backup', tree.folder])),
    // Until the disk has it, as tidemark does: restic ends before.
    restore: (into) =>
      measure('sh', [
        '-c',
        'into=$1; shift; restic "$@" restore latest --target "$into" && sync -f "$into"',
        'sh',
        into,
        ...common,
      ]),
  };
}

async function openTidemarkFiles(folder: string, tree: Tree): Promise<Contender> {
  const tidemark = await openTidemark(folder, {
    sources: { tree: { driver: 'files', paths: [tree.folder] } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
  });
  return {
    reset: tidemark.reset,
    backup: () => measureStored(tidemark.repositoryFolder, () => tidemark.measure(['backup', 'tree'])),
    restore: (into) => tidemark.measure(['restore', 'tree', '--into', into]),
  };
}
