import type { BackupRecord } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import type { Deletion, PlannedDeletion } from '../../core/operation/index.ts';
import type { Workspace } from '../compose.ts';
import { confirm, rejectUnasked } from '../confirm.ts';
import type { Register } from '../verb.ts';
import { deletionsTable, plannedDeletionsTable } from '../views/deletions.ts';
import { count } from '../views/words.ts';

interface Options {
  readonly autoApprove?: boolean;
  readonly evenTheLast?: boolean;
}

export const registerDelete: Register = (program, bind) => {
  program
    .command('delete')
    .description('Delete backups for good. Their space is freed by the next prune.')
    .argument('<backup...>', 'ids of backups, or parts of ids that only one has')
    .option('--auto-approve', 'do not ask')
    .option('--even-the-last', 'also the newest good backup of a plan')
    .action(
      bind(
        async (workspace, ids: readonly string[], { autoApprove = false, evenTheLast = false }: Options) => {
          const { deleteBackups, planDelete } = await import('../../core/operation/index.ts');
          const context = await workspace.operationContext();
          const planned = await planDelete(context, ids, { evenTheLast }, workspace.signal);
          await agree(workspace, planned, autoApprove);
          const deletions = await deleteBackups(context, planned, { evenTheLast }, workspace.signal);
          return show(workspace, deletions);
        },
        { windsDown: true },
      ),
    );
};

async function agree(workspace: Workspace, planned: readonly PlannedDeletion[], autoApprove: boolean): Promise<void> {
  const { output } = workspace;
  output.say(plannedDeletionsTable(planned, output.messageLook));
  if (autoApprove) return;
  rejectUnasked(workspace);
  const number = planned.filter(({ obstacle }) => obstacle === undefined).length;
  await confirm(workspace, `Delete ${count(number, 'backup')} for good?`);
}

/** What was refused before is told with what went wrong on the way. */
function show({ output }: Workspace, deletions: readonly Deletion<BackupRecord>[]): number {
  const deleted = deletions.filter((one) => one.deleted).length;
  const text = () =>
    `${deletionsTable(deletions, output.look)}${count(deleted, 'backup')} deleted; \`tidemark prune\` frees their space\n`;
  output.result(text, {
    backups: deletions.map(({ backup: { id, destination, snapshot }, ...rest }) => ({
      backup: id,
      destination,
      snapshot,
      ...rest,
    })),
  });
  return deleted === deletions.length ? exitCodes.ok : exitCodes.partial;
}
