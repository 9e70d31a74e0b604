import { exitCodes } from '../../core/error-codes.ts';
import { isSafe, overviewJson, readOverview } from '../../core/overview/index.ts';
import type { Register } from '../verb.ts';
import { statusText } from '../views/status.ts';

export const registerStatus: Register = (program, bind) => {
  program
    .command('status')
    .description('Show whether everything is safe: newest backups, next runs, problems.')
    .option('--check', 'exit with 1 when something is not safe')
    .action(
      bind(async ({ catalog, drivers, output, surroundings }, { check }: { check?: boolean }) => {
        const overview = await readOverview(await catalog(), await drivers(), surroundings.clock.now());
        const safe = isSafe(overview);
        output.result(() => statusText(overview, safe, output.look), overviewJson(overview));
        return check && !safe ? 1 : exitCodes.ok;
      }),
    );
};
