import type { BackupRecord, BackupWithManifest } from '../../core/catalog/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { backupJson } from '../../core/overview/index.ts';
import type { Workspace } from '../compose.ts';
import type { Register } from '../verb.ts';
import { backupText } from '../views/backups.ts';
import { contentsTable, entriesTable } from '../views/contents.ts';
import { noProgress } from '../views/progress.ts';

export const registerShow: Register = (program, bind) => {
  program
    .command('show')
    .description('Show one backup: when, of what, where, and what is in it.')
    .argument('<backup>', 'id of a backup, or a part of it that only it has')
    .option('--tree <path>', 'list this folder of the backup instead; `/` is the top')
    .action(
      bind(async (workspace, id: string, { tree }: { tree?: string }) => {
        const backup = await (await workspace.catalog()).backups.get(id);
        if (tree === undefined) showBackup(workspace, backup);
        else await showTree(workspace, backup, tree);
        return exitCodes.ok;
      }),
    );
};

function showBackup({ output }: Workspace, backup: BackupWithManifest): void {
  const { manifest } = backup;
  const text = () => {
    const contents = contentsTable(manifest.contents, output.look);
    return `${backupText(backup, output.look)}${contents === '' ? '' : `\n${contents}`}`;
  };
  output.result(text, { ...backupJson(backup), manifest });
}

async function showTree({ operationContext, output, signal }: Workspace, backup: BackupRecord, path: string) {
  const { entryJson, listEntries } = await import('../../core/operation/index.ts');
  const run = { signal, progress: noProgress };
  const entries = await listEntries(await operationContext(), backup, path, run);
  const text = () => (entries.length > 0 ? entriesTable(entries, output.look) : 'empty\n');
  output.result(text, { backup: backup.id, entries: entries.map(entryJson) });
}
