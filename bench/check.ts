import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contenders, Lab } from './lab.ts';
import { measure } from './measure.ts';
import { resticPrograms } from './restic-programs.ts';
import { openTidemark } from './tidemark.ts';
import { makeTree } from './tree.ts';

const timeoutMs = 60 * 60_000;

/** Checks one and the same repository, with all data (`check`) and without any (`check-structure`): the difference is the data's. */
export async function checks(lab: Lab): Promise<void> {
  if (!lab.wants('check') && !lab.wants('check-structure')) return;
  const folder = await lab.emptyFolder('check');
  const tidemark = await openTidemark(folder, {
    sources: { tree: { driver: 'files', paths: [makeTree(lab.dataFolder, lab.seed, lab.scale).folder] } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
  });
  await tidemark.run(['backup', 'tree'], { timeoutMs });
  const passwordFile = join(folder, 'restic-password');
  await writeFile(passwordFile, 'bench', { mode: 0o600 });
  const common = ['--repo', tidemark.repositoryFolder, '--password-file', passwordFile, '--no-cache', '--quiet'];
  const programs = await resticPrograms(lab.dataFolder);
  const contenders = (restic: readonly string[], ours: readonly string[]): Contenders => ({
    ...Object.fromEntries(
      programs.map(({ name, command }) => [name, () => measure(command, [...common, 'check', ...restic])]),
    ),
    tidemark: () => tidemark.measure(['repository', 'check', 'box', ...ours]),
  });
  if (lab.wants('check')) await lab.compare('check', contenders(['--read-data'], ['--read-all']));
  if (lab.wants('check-structure')) await lab.compare('check-structure', contenders([], []));
  await lab.emptyFolder('check');
}
