import type { BackupRecord } from '../../core/catalog/index.ts';
import { TidemarkError } from '../../core/error.ts';
import { nameHint, namesIn } from '../applied.ts';
import { parseTime } from '../arguments.ts';
import type { Workspace } from '../compose.ts';
import { confirm } from '../confirm.ts';
import { parseTarget, type RestoreTarget, restore } from '../restore.ts';
import type { Register } from '../verb.ts';
import { formatTime } from '../views/words.ts';

interface Options {
  readonly backup?: string;
  readonly to?: string;
  readonly into?: string;
  readonly only?: readonly string[];
  readonly overwrite?: boolean;
  readonly verify?: boolean;
  readonly keepDamaged?: boolean;
  readonly autoApprove?: boolean;
}

export const registerRestore: Register = (program, bind) => {
  program
    .command('restore')
    .description('Bring back a backup of a source: the newest, unless --backup or --to chooses.')
    .argument('<source>', 'the source whose backup it is; it need not be in the configuration any more')
    .option('--backup <id>', 'this backup: its id, or a part of it that only it has')
    .option('--to <time>', 'the backup that shows this second')
    .option('--into <target>', 'a folder (begins with `/` or `.`), or the name of a source; <source> itself: in place')
    .option('--only <pattern...>', 'only what matches: `db.table` or a path, with `*` and `?`')
    .option('--overwrite', 'replace what is there; without it existing data stops the restore before it begins')
    .option('--verify', 'read everything back and compare')
    .option('--keep-damaged', 'leave files under their names although parts of them are damaged in the repository')
    .option('--auto-approve', 'do not ask before a restore in place')
    .action(
      bind(
        async (workspace, source: string, options: Options) => {
          const into = targetOf(workspace, source, options);
          const backup = await choose(workspace, source, options);
          await requireApplied(workspace, into);
          const inPlace = 'source' in into && into.source === source;
          if (inPlace && options.autoApprove !== true) await confirm(workspace, question(backup));
          return restore(workspace, { ...options, backup, into });
        },
        { windsDown: true },
      ),
    );
};

function targetOf({ surroundings }: Workspace, source: string, { into }: Options): RestoreTarget {
  if (into !== undefined) return parseTarget(into, surroundings.cwd);
  throw new TidemarkError('USAGE', 'where to restore to is missing', {
    hint: `Give \`--into ./folder\`, or \`--into SOURCE\` for a declared source; \`--into ${source}\` restores in place.`,
  });
}

async function choose(workspace: Workspace, source: string, { backup, to }: Options): Promise<BackupRecord> {
  if (backup !== undefined && to !== undefined) {
    throw new TidemarkError('USAGE', '`--backup` and `--to` exclude each other', { hint: 'Give one of them.' });
  }
  const { chooseBackup } = await import('../../core/operation/index.ts');
  const now = workspace.surroundings.clock.now();
  const time = to === undefined ? undefined : parseTime(to, now);
  return chooseBackup(await workspace.catalog(), { source, backup, to: time }, now);
}

async function requireApplied(workspace: Workspace, into: RestoreTarget): Promise<void> {
  if (!('source' in into)) return;
  const state = await (await workspace.catalog()).state.read();
  if (state.resources.has(`sources.${into.source}`)) return;
  throw new TidemarkError('NOT_APPLIED', `there is no source \`${into.source}\` in the applied configuration`, {
    hint: `${nameHint(into.source, namesIn(state, 'sources'), 'source')} A folder is written \`./${into.source}\`.`,
  });
}

function question({ source, consistentAt, id }: BackupRecord): string {
  return `Restore \`${source}\` in place, as of ${formatTime(consistentAt)} (backup ${id})?`;
}
