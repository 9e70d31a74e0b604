import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { TidemarkError } from '../../core/error.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { starter } from '../starter.ts';
import type { Register } from '../verb.ts';

export const registerInit: Register = (program, bind) => {
  program
    .command('init')
    .description('Write a commented configuration to start from.')
    .argument('[file]', 'where to write it', 'tidemark.yaml')
    .action(
      bind(async ({ surroundings, output }, file: string) => {
        const path = resolve(surroundings.cwd, file);
        await writeNew(path);
        const shown = relative(surroundings.cwd, path);
        output.result(`wrote ${shown}\nEdit it, then run \`tidemark validate\` and \`tidemark apply\`.\n`, {
          file: path,
        });
        return exitCodes.ok;
      }),
    );
};

async function writeNew(path: string): Promise<void> {
  try {
    await writeFile(path, starter, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new TidemarkError('USAGE', exists ? `${path} is there already` : `${path} cannot be written`, {
      hint: exists ? 'Edit it, or name another file.' : 'Name a file in a folder where you may write.',
      cause,
    });
  }
}
