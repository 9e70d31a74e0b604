import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Contenders, Lab } from './lab.ts';
import { measure, measureStored } from './measure.ts';
import { resticPrograms } from './restic-programs.ts';
import { changeTree, makeTree } from './tree.ts';

const child = join(import.meta.dirname, 'prune-child.ts');
const timeoutMs = 60 * 60_000;

/**
 * Frees what the first of two backups of a tree needs alone, a tenth of which has changed. Everybody gets the same repository,
 * which restic made. Afterwards restic checks each: a prune that breaks it has no speed.
 */
export async function prunes(lab: Lab): Promise<void> {
  if (!lab.wants('prune')) return;
  const programs = await resticPrograms(lab.dataFolder);
  const passwordFile = join(await lab.emptyFolder('prune'), 'password');
  await writeFile(passwordFile, 'bench', { mode: 0o600 });
  const made = join(await lab.emptyFolder('prune-made'), 'repository');
  const common = (folder: string) => ['--repo', folder, '--password-file', passwordFile, '--no-cache'];
  const stock = programs.at(-1)!.command;
  const restic = (folder: string, ...args: string[]) => runOk(stock, [...common(folder), ...args], { timeoutMs });
  await restic(made, 'init');
  const tree = makeTree(lab.dataFolder, lab.seed, lab.scale);
  await restic(made, 'backup', tree.folder);
  changeTree(tree, 0.1, 77);
  await restic(made, 'backup', tree.folder);
  await restic(made, 'forget', '--keep-last', '1');

  const onCopy = (command: string, args: (folder: string) => string[]) => async () => {
    const folder = join(await lab.emptyFolder('prune-copy'), 'repository');
    await cp(made, folder, { recursive: true });
    const sample = await measureStored(folder, () => measure(command, args(folder)));
    await restic(folder, 'check');
    return sample;
  };
  const contenders: Record<string, Contenders[string]> = {};
  for (const { name, command } of programs)
    contenders[name] = onCopy(command, (folder) => [...common(folder), 'prune']);
  for (const how of ['now', 'marks'] as const) {
    contenders[`tidemark ${how}`] = onCopy(process.execPath, (folder) => [child, folder, passwordFile, how]);
  }
  await lab.compare('prune', contenders);
  for (const name of ['prune', 'prune-made', 'prune-copy'])
    await rm(join(lab.dataFolder, 'work', name), { recursive: true, force: true });
}
