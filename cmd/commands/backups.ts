import { Option } from 'commander';
import { type BackupType, backupTypes } from '../../core/driver/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import type { Label } from '../../core/labels.ts';
import { backupJson } from '../../core/overview/index.ts';
import { parseCount, parseTime } from '../arguments.ts';
import { labelOption, listLabelled } from '../label-option.ts';
import type { Register } from '../verb.ts';
import { backupsTable } from '../views/backups.ts';

interface Options {
  readonly plan?: string;
  readonly type?: BackupType;
  readonly destination?: string;
  readonly since?: string;
  readonly label?: readonly Label[];
  readonly limit: number;
}

export const registerBackups: Register = (program, bind) => {
  program
    .command('backups')
    .description('List backups, newest first.')
    .argument('[source]', 'only those of this source')
    .option('--plan <plan>', 'only those of this plan')
    .addOption(new Option('--type <type>', 'only those of this type').choices(backupTypes))
    .option('--destination <destination>', 'only those in this destination')
    .option('--since <time>', 'only those that show this time or a later one; also a span such as 7d')
    .addOption(labelOption())
    .option('--limit <number>', 'at most so many', parseCount, 50)
    .action(
      bind(async ({ catalog, output, surroundings }, source: string | undefined, options: Options) => {
        const since = options.since === undefined ? undefined : parseTime(options.since, surroundings.clock.now());
        const { label: labels, limit, ...filter } = options;
        const known = await catalog();
        const backups = await listLabelled(
          known,
          { labels, limit },
          (most) => known.backups.list({ ...filter, source, since, limit: most }),
          ({ plan, source, destination }) => ({ plan, source, destinations: [destination] }),
        );
        const text = () => (backups.length > 0 ? backupsTable(backups, output.look) : 'no backups\n');
        output.result(text, { backups: backups.map(backupJson) });
        return exitCodes.ok;
      }),
    );
};
