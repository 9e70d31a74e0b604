import { exitCodes } from '../../core/error-codes.ts';
import type { Register } from '../verb.ts';
import { errorJson } from '../views/errors.ts';
import { noProgress } from '../views/progress.ts';
import { count } from '../views/words.ts';

export const registerCatalog: Register = (program, bind) => {
  const catalog = program.command('catalog').description('Look after what tidemark remembers.');
  catalog
    .command('import')
    .description(
      'Make the catalog list exactly the backups that a destination holds: after a loss of the catalog, say.',
    )
    .argument('<destination>', 'name of an applied destination')
    .action(
      bind(async ({ operationContext, output, signal }, destination: string) => {
        const { importBackups } = await import('../../core/operation/index.ts');
        const run = { signal, progress: noProgress };
        const { damaged, ...counts } = await importBackups(await operationContext(), destination, run);
        if (!output.json) for (const error of damaged) output.warn(error.message, error.hint);
        const text = `${count(counts.found, 'backup')} found: ${counts.added} added to the catalog, ${counts.removed} removed\n`;
        output.result(text, { destination, ...counts, damaged: damaged.map(errorJson) });
        return damaged.length > 0 ? exitCodes.partial : exitCodes.ok;
      }),
    );
};
