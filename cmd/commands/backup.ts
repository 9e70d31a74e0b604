import { appliedPlan } from '../../core/applied.ts';
import type { Job } from '../../core/catalog/index.ts';
import { backupJob } from '../../core/job/index.ts';
import { jobJson } from '../../core/overview/index.ts';
import { formatBytes, formatDuration } from '../../core/units.ts';
import { detachJob, followJob, jobExitCode } from '../follow-job.ts';
import type { Output } from '../output.ts';
import type { Register } from '../verb.ts';
import { count } from '../views/words.ts';

export const registerBackup: Register = (program, bind) => {
  program
    .command('backup')
    .description('Make a backup of a plan now and wait for it, whether the plan is scheduled, paused or manual.')
    .argument('<plan>', 'name of an applied plan')
    .option('--detach', 'queue it for the daemon and return at once; it runs also when nobody waits for it')
    .action(
      bind(
        async (workspace, name: string, { detach = false }: { detach?: boolean }) => {
          const catalog = await workspace.catalog();
          const plan = await appliedPlan(catalog, await workspace.drivers(), name);
          const { suspended } = await catalog.plans.get(name);
          if (suspended !== undefined) workspace.output.say(`plan ${name} is suspended: ${suspended.text}\n`);
          const newJob = await backupJob(plan, 'manual');
          if (detach) return detachJob(workspace, newJob);
          const job = await followJob(workspace, newJob, `backup ${name}`);
          show(workspace.output, job);
          return jobExitCode(job);
        },
        { windsDown: true },
      ),
    );
};

function show(output: Output, job: Job): void {
  const { backup, sizeBytes, addedBytes, items, warnings } = job.result as unknown as BackupResult;
  if (!output.json) for (const warning of warnings) output.warn(warning);
  const tookMs = (job.endedAt?.getTime() ?? 0) - (job.startedAt?.getTime() ?? 0);
  const size = `${formatBytes(sizeBytes)} in ${count(items, 'item')}, ${formatBytes(addedBytes)} added`;
  output.result(
    `backup ${backup}${job.state === 'partial' ? ' (partial)' : ''}: ${size}, took ${formatDuration(tookMs)}\n`,
    {
      backup,
      job: jobJson(job),
    },
  );
}

interface BackupResult {
  readonly backup: string;
  readonly sizeBytes: number;
  readonly addedBytes: number;
  readonly items: number;
  readonly warnings: readonly string[];
}
