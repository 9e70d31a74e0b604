import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../lab.ts';
import { openServers, openTidemarkLogical } from '../logical.ts';
import { openTidemark, type Tidemark } from '../tidemark.ts';
import { changeTree, makeLargeFiles, makeTree } from '../tree.ts';

/** A verb to profile. `prepare` makes what it works on and is called before each of its runs. */
export interface ProfileCase {
  readonly tidemark: Tidemark;
  prepare(round: number): Promise<unknown>;
  readonly args: readonly string[];
}

const nothing = async () => {};

export const profileCases: Readonly<Record<string, (lab: Lab) => Promise<ProfileCase>>> = {
  'files-first': async (lab) => {
    const { tidemark } = await openTree(lab, 'new');
    return { tidemark, prepare: tidemark.reset, args: ['backup', 'tree'] };
  },
  'files-unchanged': async (lab) => {
    const { tidemark } = await openTree(lab, 'backed up');
    return { tidemark, prepare: nothing, args: ['backup', 'tree'] };
  },
  'files-changed': async (lab) => {
    const { tidemark, tree } = await openTree(lab, 'backed up');
    return { tidemark, prepare: async (round) => changeTree(tree, 0.01, 1000 + round), args: ['backup', 'tree'] };
  },
  'files-restore': async (lab) => {
    const { tidemark } = await openTree(lab, 'backed up');
    const into = join(lab.dataFolder, 'work', 'restored');
    return { tidemark, prepare: () => lab.emptyFolder('restored'), args: ['restore', 'tree', '--into', into] };
  },
  'large-restore': async (lab) => {
    const tidemark = await openFiles(lab, makeLargeFiles(lab.dataFolder, lab.seed, lab.scale).folder);
    await tidemark.run(['backup', 'tree'], { timeoutMs: 60 * 60_000 });
    const into = join(lab.dataFolder, 'work', 'restored');
    return { tidemark, prepare: () => lab.emptyFolder('restored'), args: ['restore', 'tree', '--into', into] };
  },
  'one-small-file': async (lab) => {
    const tidemark = await openSmallFile(lab);
    return { tidemark, prepare: nothing, args: ['backup', 'tree'] };
  },
  status: async (lab) => {
    const tidemark = await openSmallFile(lab);
    return { tidemark, prepare: nothing, args: ['status'] };
  },
  check: async (lab) => {
    const { tidemark } = await openTree(lab, 'backed up');
    return { tidemark, prepare: nothing, args: ['repository', 'check', 'box', '--read-all'] };
  },
  dump: async (lab) => {
    const tidemark = await openTidemarkLogical(await lab.emptyFolder('profile'), await openServers(lab));
    return { tidemark, prepare: tidemark.reset, args: ['backup', 'shop'] };
  },
};

async function openTree(lab: Lab, state: 'new' | 'backed up') {
  const tree = makeTree(lab.dataFolder, lab.seed, lab.scale);
  const tidemark = await openFiles(lab, tree.folder);
  if (state === 'backed up') await tidemark.run(['backup', 'tree'], { timeoutMs: 60 * 60_000 });
  return { tree, tidemark };
}

async function openSmallFile(lab: Lab): Promise<Tidemark> {
  const folder = await lab.emptyFolder('small');
  writeFileSync(join(folder, 'file'), 'one small file\n');
  const tidemark = await openFiles(lab, folder);
  await tidemark.run(['backup', 'tree']);
  return tidemark;
}

async function openFiles(lab: Lab, path: string): Promise<Tidemark> {
  return openTidemark(await lab.emptyFolder('profile'), {
    sources: { tree: { driver: 'files', paths: [path] } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
  });
}
