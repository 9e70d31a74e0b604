import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './lab.ts';
import { random } from './random.ts';
import { openTidemark } from './tidemark.ts';

/** Entries at scale 1, and shapes of trees: where a cost is per folder, the one with many shows it. */
const counts = [10_000, 30_000, 100_000];
const shapes = { few: 1000, many: 10 } as const;

/** What backups of more and more small files take: first and unchanged, in few folders and in many. */
export async function curve(lab: Lab): Promise<void> {
  for (const [shape, filesPerFolder] of Object.entries(shapes)) {
    for (const count of counts) await point(lab, shape, Math.round(count * lab.scale), filesPerFolder);
  }
}

async function point(lab: Lab, shape: string, count: number, filesPerFolder: number): Promise<void> {
  const name = `curve-${shape}-folders`;
  if (!lab.wants(name)) return;
  const tree = await lab.emptyFolder(`curve-${shape}-${count}`); // made anew elsewhere: deletions slow some file systems down
  makeTree(tree, count, filesPerFolder, lab.seed);
  const tidemark = await openTidemark(await lab.emptyFolder('curve'), {
    sources: { tree: { driver: 'files', paths: [tree] } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
  });
  const backup = () => tidemark.measure(['backup', 'tree']);
  await lab.compare(`${name}-first ${count}`, {
    tidemark: async () => {
      await tidemark.reset();
      return backup();
    },
  });
  await lab.compare(`${name}-unchanged ${count}`, { tidemark: backup });
  for (const folder of ['curve', `curve-${shape}-${count}`]) await lab.emptyFolder(folder);
}

function makeTree(folder: string, count: number, filesPerFolder: number, seed: string): void {
  const source = random(`${seed} curve`);
  for (let file = 0; file < count; file++) {
    const number = Math.floor(file / filesPerFolder);
    const path = join(folder, `area-${number % 100}`, `set-${number}`);
    if (file % filesPerFolder === 0) mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `file-${file}.txt`), source.bytes(200));
  }
}
