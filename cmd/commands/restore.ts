import { TidemarkError } from '../../core/error.ts';
import { planWith, type RestorePlan, type RestoreTarget } from '../../core/restore/index.ts';
import { parseTime } from '../arguments.ts';
import type { Workspace } from '../compose.ts';
import { canAsk, openQuestions, type Questions, rejectUnasked, requireYes } from '../confirm.ts';
import { detachJob } from '../follow-job.ts';
import { decideRestore, jobOf, parseTarget, type RestoreFlags, restore, restoreOptions } from '../restore.ts';
import type { Register } from '../verb.ts';
import { alternativeText, choicesText, restorePlanText } from '../views/restore-plan.ts';
import { formatTime } from '../views/words.ts';

interface Options extends RestoreFlags {
  readonly backup?: string;
  readonly to?: string;
  readonly plan?: string;
  readonly into?: string;
  readonly detach?: boolean;
  readonly autoApprove?: boolean;
}

export const registerRestore: Register = (program, bind) => {
  program
    .command('restore')
    .description(
      'Bring back a backup of a source: the newest that holds what is asked for, unless --backup or --to chooses.',
    )
    .argument('<source>', 'the source whose backup it is; it need not be in the configuration any more')
    .option('--backup <id>', 'this backup: its id, or a part of it that only it has')
    .option('--to <time>', 'the backup that shows this second')
    .option('--plan <plan>', 'only a backup of this plan')
    .option('--into <target>', 'a folder (begins with `/` or `.`), or the name of a source; <source> itself: in place')
    .option('--only <pattern...>', 'only what matches: `db.table` or a path, with `*` and `?`')
    .option('--overwrite', 'replace what is there; without it existing data stops the restore before it begins')
    .option('--verify', 'read everything back and compare')
    .option(
      '--keep-damaged',
      'leave files and tables under their names although parts of them are damaged in the repository',
    )
    .option('--detach', 'queue it for the daemon and return at once; it runs also when nobody waits for it')
    .option('--auto-approve', 'do not ask: neither which of several backups is meant, nor before a restore in place')
    .action(
      bind(
        async (workspace, source: string, options: Options) => {
          const target = targetOf(workspace, source, options);
          const { backup, plan } = options;
          const wish = { source, backup, plan, at: timeOf(workspace, options), ...restoreOptions(target, options) };
          const decided = await decideRestore(workspace, wish);
          const inPlace = 'source' in target && target.source === source;
          const agreedOn = await agreed(workspace, decided, inPlace, options.autoApprove === true);
          if (options.detach === true) return detachJob(workspace, await jobOf(workspace, agreedOn));
          return restore(workspace, agreedOn);
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

function timeOf({ surroundings }: Workspace, { backup, to }: Options): Date | undefined {
  if (backup !== undefined && to !== undefined) {
    throw new TidemarkError('USAGE', '`--backup` and `--to` exclude each other', { hint: 'Give one of them.' });
  }
  return to === undefined ? undefined : parseTime(to, surroundings.clock.now());
}

/** The plan as the person wants it, who sees it first. Throws CANCELLED. */
async function agreed(
  workspace: Workspace,
  plan: RestorePlan,
  inPlace: boolean,
  autoApprove: boolean,
): Promise<RestorePlan> {
  if (inPlace && !autoApprove) rejectUnasked(workspace);
  if (autoApprove || !canAsk(workspace)) {
    tell(workspace, plan);
    return plan;
  }
  using questions = openQuestions(workspace);
  const chosen = await choose(workspace, plan, questions);
  tell(workspace, chosen);
  if (inPlace) await requireYes(questions, question(chosen));
  return chosen;
}

/** Backups that are as good as the chosen one are a warning: a person might have meant them. */
function tell({ output }: Workspace, plan: RestorePlan): void {
  output.say(restorePlanText(plan, output.messageLook));
  if (output.json) return;
  for (const one of plan.alternatives) {
    const text = alternativeText(one, output.messageLook);
    if (one.isEqual) output.warn(text, `\`--backup ${one.backup.id}\` restores it.`);
    else output.say(`${text}\n`);
  }
}

async function choose({ output }: Workspace, plan: RestorePlan, questions: Questions): Promise<RestorePlan> {
  const others = plan.alternatives.filter(({ isEqual }) => isEqual);
  if (others.length === 0) return plan;
  output.draw(choicesText(plan, others, output.messageLook));
  const answer = await questions.ask(`Which one? 1 to ${others.length + 1}, 1 when nothing is typed: `);
  const number = answer === '' ? 1 : Number(answer);
  if (number === 1) return { ...plan, alternatives: [] };
  const other = others[number - 2];
  if (other !== undefined) return planWith(plan, other);
  throw new TidemarkError('CANCELLED', `nothing was done: \`${answer}\` is none of the numbers`);
}

function question({ backup: { source, consistentAt, id } }: RestorePlan): string {
  return `Restore \`${source}\` in place, as of ${formatTime(new Date(consistentAt))} (backup ${id})?`;
}
