import { Option } from 'commander';
import { type Job, type JobState, jobStates } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import type { Label } from '../../core/labels.ts';
import { jobJson } from '../../core/overview/index.ts';
import { parseCount, parseTime } from '../arguments.ts';
import { labelOption, listLabelled } from '../label-option.ts';
import type { Register } from '../verb.ts';
import { jobsTable, restoresTable } from '../views/jobs.ts';

interface Options {
  readonly state?: readonly JobState[];
  readonly plan?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly since?: string;
  readonly label?: readonly Label[];
  readonly limit: number;
}

export const registerJobs: Register = (program, bind) => {
  program
    .command('jobs')
    .description('List jobs, newest first: what runs, what waits, what came of the others.')
    .addOption(new Option('--state <state...>', 'only those in one of these states').choices(jobStates))
    .option('--plan <plan>', 'only those of this plan')
    .option('--source <source>', 'only those of this source')
    .option('--destination <destination>', 'only those that write to this destination, read from it or look after it')
    .option('--since <time>', 'only those queued since this time; also a span such as 7d')
    .addOption(labelOption())
    .option('--limit <number>', 'at most so many', parseCount, 30)
    .action(
      bind(async ({ catalog, output, surroundings }, { state, since, label: labels, limit, ...filter }: Options) => {
        const from = since === undefined ? undefined : parseTime(since, surroundings.clock.now());
        const known = await catalog();
        const list = (most: number) => known.jobs.list({ ...filter, states: state, since: from, limit: most });
        const jobs = await listLabelled(known, { labels, limit }, list, belongingOf);
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
    .addOption(labelOption())
    .option('--limit <number>', 'at most so many', parseCount, 30)
    .action(
      bind(
        async (
          { catalog, output },
          source: string | undefined,
          { label: labels, limit }: Pick<Options, 'label' | 'limit'>,
        ) => {
          const known = await catalog();
          const list = (most: number) => known.jobs.list({ kind: 'restore', source, limit: most });
          const jobs = await listLabelled(known, { labels, limit }, list, belongingOf);
          const text = () => (jobs.length > 0 ? restoresTable(jobs, output.look) : 'no restores\n');
          output.result(text, { restores: jobs.map(jobJson) });
          return exitCodes.ok;
        },
      ),
    );
};

function belongingOf({ plan, source, destination }: Job) {
  return { plan, source, destinations: destination === undefined ? [] : [destination] };
}
