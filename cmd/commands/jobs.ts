import { Option } from 'commander';
import { type JobState, jobStates } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { parseCount, parseTime } from '../arguments.ts';
import type { Register } from '../verb.ts';
import { jobJson, jobsTable, restoresTable } from '../views/jobs.ts';

interface Options {
  readonly state?: readonly JobState[];
  readonly plan?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit: number;
}

export const registerJobs: Register = (program, bind) => {
  program
    .command('jobs')
    .description('List jobs, newest first: what runs, what waits, what came of the others.')
    .addOption(new Option('--state <state...>', 'only those in one of these states').choices(jobStates))
    .option('--plan <plan>', 'only those of this plan')
    .option('--source <source>', 'only those of this source')
    .option('--since <time>', 'only those queued since this time; also a span such as 7d')
    .option('--limit <number>', 'at most so many', parseCount, 30)
    .action(
      bind(async ({ catalog, output, surroundings }, { state, since, ...filter }: Options) => {
        const from = since === undefined ? undefined : parseTime(since, surroundings.clock.now());
        const jobs = await (await catalog()).jobs.list({ ...filter, states: state, since: from });
        output.result(() => (jobs.length > 0 ? jobsTable(jobs, output.look) : 'no jobs\n'), {
          jobs: jobs.map(jobJson),
        });
        return exitCodes.ok;
      }),
    );
};

export const registerRestores: Register = (program, bind) => {
  program
    .command('restores')
    .description('List restores, newest first: of what, to where, and what came of them.')
    .argument('[source]', 'only those of backups of this source')
    .option('--limit <number>', 'at most so many', parseCount, 30)
    .action(
      bind(async ({ catalog, output }, source: string | undefined, { limit }: { limit: number }) => {
        const jobs = await (await catalog()).jobs.list({ kind: 'restore', source, limit });
        const text = () => (jobs.length > 0 ? restoresTable(jobs, output.look) : 'no restores\n');
        output.result(text, { restores: jobs.map(jobJson) });
        return exitCodes.ok;
      }),
    );
};
