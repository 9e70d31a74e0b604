import { exitCodes } from '../../core/error-codes.ts';
import { findDestination } from '../find-destination.ts';
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
    .argument('<destination>', 'name of a destination: an applied one, or one of the configuration')
    .action(
      bind(async (workspace, destination: string) => {
        const { output, signal } = workspace;
        const { importBackups, renamesOf } = await import('../../core/operation/index.ts');
        const run = { signal, progress: noProgress };
        const context = await workspace.operationContext();
        const { configuration } = await workspace.configuration({ secrets: false });
        const { resources } = await context.catalog.state.read();
        const { damaged, warnings, ...counts } = await importBackups(
          context,
          await findDestination(workspace, destination),
          run,
          renamesOf(configuration?.resources ?? new Map(), resources),
        );
        if (!output.json) {
          for (const error of damaged) output.warn(error.message, error.hint);
          for (const warning of warnings) output.warn(warning);
        }
        const harm = damaged.length === 0 ? '' : `; ${damaged.length} damaged, ${counts.kept} of them known and kept`;
        const text = `${count(counts.found, 'backup')} found: ${counts.added} added to the catalog, ${counts.removed} removed${harm}\n`;
        output.result(text, { destination, ...counts, damaged: damaged.map(errorJson), warnings });
        return damaged.length > 0 || counts.snapshotsLost ? exitCodes.partial : exitCodes.ok;
      }),
    );
};
