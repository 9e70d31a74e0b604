import { exitCodes } from '../../core/error-codes.ts';
import { jobJson } from '../../core/overview/index.ts';
import type { Register } from '../verb.ts';

export const registerCancel: Register = (program, bind) => {
  program
    .command('cancel')
    .description('End a job: one that waits at once, one that runs within seconds. Nothing half-made stays visible.')
    .argument('<job>', 'id of a job, or a part of it that only it has')
    .action(
      bind(async ({ catalog, output }, idPart: string) => {
        const { jobs } = await catalog();
        const job = await jobs.requestCancel((await jobs.get(idPart)).id);
        const text = job.state === 'cancelled' ? `job ${job.id} is cancelled` : `job ${job.id} is asked to end`;
        output.result(`${text}\n`, { job: jobJson(job) });
        return exitCodes.ok;
      }),
    );
};
