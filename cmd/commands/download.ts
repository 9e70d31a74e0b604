import { resolve } from 'node:path';
import { decideRestore, type RestoreFlags, restore, restoreOptions } from '../restore.ts';
import type { Register } from '../verb.ts';

interface Options extends RestoreFlags {
  readonly output: string;
}

export const registerDownload: Register = (program, bind) => {
  program
    .command('download')
    .description('Write any backup as files into a folder: a database backup loads from there with the stock client.')
    .argument('<backup>', 'id of a backup, or a part of it that only it has')
    .requiredOption('-o, --output <folder>', 'the folder to write into; made when it is not there')
    .option('--only <pattern...>', 'only what matches')
    .option('--overwrite', 'replace files that are there')
    .option('--verify', 'read everything back and compare')
    .action(
      bind(
        async (workspace, backup: string, options: Options) => {
          const target = { folder: resolve(workspace.surroundings.cwd, options.output) };
          const wish = { backup, ...restoreOptions(target, options) };
          return restore(workspace, await decideRestore(workspace, wish));
        },
        { windsDown: true },
      ),
    );
};
