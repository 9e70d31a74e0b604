import { exitCodes } from '../../../core/error-codes.ts';
import type { Workspace } from '../../compose.ts';
import type { Register } from '../../verb.ts';
import { noProgress } from '../../views/progress.ts';
import { statsText } from '../../views/stats.ts';

export const registerStats: Register = (repository, bind) => {
  repository
    .command('stats')
    .description('Show what fills the repository: bytes by plan and type, how well they are stored, and what is waste.')
    .argument('<destination>', 'name of an applied destination')
    .action(bind(stats));
};

async function stats(workspace: Workspace, name: string): Promise<number> {
  const { output, signal } = workspace;
  const { repositoryStats } = await import('../../../core/operation/index.ts');
  const counted = await repositoryStats(await workspace.operationContext(), name, { signal, progress: noProgress });
  output.result(() => statsText(name, counted, output.look), { destination: name, ...counted });
  return counted.verdict === 'whole' ? exitCodes.ok : exitCodes.partial;
}
