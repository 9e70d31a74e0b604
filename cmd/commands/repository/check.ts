import { requireResource } from '../../../core/applied.ts';
import type { Job } from '../../../core/catalog/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { exitCodes } from '../../../core/error-codes.ts';
import { type CheckJobResult, checkJob } from '../../../core/job/index.ts';
import type { ReadAmount } from '../../../core/repository/index.ts';
import { parseAmount } from '../../../core/units.ts';
import { detachJob, followJob } from '../../follow-job.ts';
import type { Register } from '../../verb.ts';
import { checkText } from '../../views/check.ts';

interface CheckFlags {
  readonly read?: string;
  readonly readAll?: boolean;
  readonly detach?: boolean;
}

export const registerCheck: Register = (repository, bind) => {
  repository
    .command('check')
    .description(
      'Look whether the repository is whole: keys, index, packs, snapshots and all trees; data as far as asked.',
    )
    .argument('<destination>', 'name of an applied destination')
    .option('--read <amount>', 'read so much of the data too, such as 5% or 10GiB, from where the last check ended')
    .option('--read-all', 'read all data too')
    .option('--detach', 'queue it for the daemon and return at once')
    .action(
      bind(
        async (workspace, name: string, flags: CheckFlags) => {
          const read = readAmount(flags);
          const destination = await requireResource(await workspace.catalog(), 'destinations', name);
          const newJob = checkJob(destination.name, read, 'manual');
          if (flags.detach === true) return detachJob(workspace, newJob);
          const job = await followJob(workspace, newJob, `check ${name}`);
          const result = job.result as unknown as CheckJobResult;
          for (const warning of workspace.output.json ? [] : result.warnings) workspace.output.warn(warning);
          workspace.output.result(() => checkText(result, workspace.output.look), { job: job.id, ...result });
          return checkExitCode(job);
        },
        { windsDown: true },
      ),
    );
};

/** Throws USAGE. */
function readAmount({ read, readAll = false }: CheckFlags): ReadAmount {
  if (readAll && read !== undefined) throw new TidemarkError('USAGE', 'either `--read` or `--read-all`, not both');
  if (readAll) return { share: 1 };
  if (read === undefined) return 'none';
  const amount = /^[\d.]+$/.test(read.trim()) ? undefined : parseAmount(read); // `5` would be bytes, and 5% was meant
  if (amount !== undefined && ('share' in amount ? amount.share : amount.bytes) > 0) return amount;
  throw new TidemarkError('USAGE', `\`${read}\` is no amount of data`, {
    hint: 'Write a share such as `--read 5%`, or a size such as `--read 10GiB`.',
  });
}

function checkExitCode({ result }: Job): number {
  const { verdict } = result as unknown as CheckJobResult;
  return verdict === 'good' ? exitCodes.ok : verdict === 'damaged' ? exitCodes.corrupt : exitCodes.partial;
}
