import { exitCodes } from '../../core/error-codes.ts';
import { jobKinds, planKinds } from '../../core/job/index.ts';
import type { Label } from '../../core/labels.ts';
import { isSafe, overviewJson, readOverview } from '../../core/overview/index.ts';
import { labelOption } from '../label-option.ts';
import type { Register } from '../verb.ts';
import { statusText } from '../views/status.ts';

interface Options {
  readonly check?: boolean;
  readonly label?: readonly Label[];
}

export const registerStatus: Register = (program, bind) => {
  program
    .command('status')
    .description('Show whether everything is safe: newest backups, next runs, problems.')
    .addOption(labelOption())
    .option('--check', 'exit with 1 when something is not safe')
    .action(
      bind(async ({ catalog, daemonSettings, drivers, output, surroundings }, { check, label }: Options) => {
        const { clock, self } = surroundings;
        const sources = {
          catalog: await catalog(),
          drivers: await drivers(),
          planKinds: planKinds(jobKinds),
          prune: (await daemonSettings()).prune,
          fate: self.fate,
        };
        const overview = await readOverview(sources, clock.now(), label);
        const safe = isSafe(overview);
        output.result(() => statusText(overview, safe, output.look), overviewJson(overview));
        return check && !safe ? 1 : exitCodes.ok;
      }),
    );
};
