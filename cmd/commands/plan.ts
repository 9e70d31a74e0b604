import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ChangeSet, encodeChangeSet, hasRefusals, isEmpty } from '../../core/change/index.ts';
import { asTidemarkError, TidemarkError } from '../../core/error.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { changeSetFor, readDesired } from '../change.ts';
import type { Workspace } from '../compose.ts';
import type { Register } from '../verb.ts';
import { changeSetMarkdown, changeSetText } from '../views/change-set.ts';

interface Options {
  readonly out?: string;
  readonly markdown?: boolean;
  readonly detailedExitcode?: boolean;
  readonly secrets: boolean;
}

export const registerPlan: Register = (program, bind) => {
  program
    .command('plan')
    .description('Show what `tidemark apply` would change, and what would follow from it.')
    .option('--out <file>', 'save the change set, for `tidemark apply FILE`')
    .option('--markdown', 'print Markdown, for a comment on a pull request')
    .option('--detailed-exitcode', 'exit with 0 for no changes, 2 for changes, 1 for an error')
    .option('--no-secrets', 'do not check that secrets can be read')
    .action(
      bind(async (workspace, options: Options) => {
        if (!options.detailedExitcode) return plan(workspace, options);
        try {
          return await plan(workspace, options);
        } catch (thrown) {
          workspace.output.fail(thrown);
          return 1;
        }
      }),
    );
};

async function plan(workspace: Workspace, options: Options): Promise<number> {
  const { output, surroundings } = workspace;
  const changeSet = await changeSetFor(workspace, await readDesired(workspace, options));
  if (options.out !== undefined) await save(changeSet, resolve(surroundings.cwd, options.out));
  if (options.markdown) output.raw(changeSetMarkdown(changeSet));
  else output.result(() => changeSetText(changeSet, { color: output.look.colour }), changeSet);
  return exitCode(changeSet, options.detailedExitcode === true);
}

/** A change set with refusals cannot be applied: that is an error of the wish, like a mistake in the files. */
function exitCode(changeSet: ChangeSet, detailed: boolean): number {
  if (hasRefusals(changeSet)) return detailed ? 1 : exitCodes.conflict;
  return detailed && !isEmpty(changeSet) ? exitCodes.changes : exitCodes.ok;
}

async function save(changeSet: ChangeSet, path: string): Promise<void> {
  try {
    await writeFile(path, encodeChangeSet(changeSet), { mode: 0o600 });
  } catch (cause) {
    throw new TidemarkError('USAGE', `${path} cannot be written: ${asTidemarkError(cause).message}`, {
      hint: 'Name a file in a folder where you may write.',
      cause,
    });
  }
}
