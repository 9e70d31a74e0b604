import type { BackupRecord } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { backupJson } from '../../core/overview/index.ts';
import type { Workspace } from '../compose.ts';
import type { Register } from '../verb.ts';

/** Loaded late: the repository's code takes time to load that `tidemark --help` has not. */
const operations = () => import('../../core/operation/index.ts');

export const registerPin: Register = (program, bind) => {
  program
    .command('pin')
    .description('Keep a backup whatever the retention of its plan says, until `unpin`.')
    .argument('<backup>', 'id of a backup, or a part of it that only it has')
    .option('--reason <text>', 'why, for whoever wonders later')
    .action(
      bind(async (workspace, id: string, { reason }: { reason?: string }) => {
        const { pinBackup } = await operations();
        const copies = await pinBackup(await workspace.operationContext(), id, reason, workspace.signal);
        return show(workspace, copies, 'is pinned');
      }),
    );
};

export const registerUnpin: Register = (program, bind) => {
  program
    .command('unpin')
    .description('Let the retention of its plan decide about a backup again.')
    .argument('<backup>', 'id of a backup, or a part of it that only it has')
    .action(
      bind(async (workspace, id: string) => {
        const { unpinBackup } = await operations();
        const { copies, unreadable } = await unpinBackup(await workspace.operationContext(), id, workspace.signal);
        for (const { message, hint } of unreadable) workspace.output.warn(`it may still be pinned: ${message}`, hint);
        if (unreadable.length === 0) return show(workspace, copies, 'is not pinned');
        show(workspace, copies, 'may still be pinned');
        return exitCodes.partial;
      }),
    );
};

function show({ output }: Workspace, copies: readonly BackupRecord[], what: string): number {
  const text = copies.map(({ id, destination }) => `backup ${id} in ${destination} ${what}\n`).join('');
  output.result(text, { backups: copies.map(backupJson) });
  return exitCodes.ok;
}
