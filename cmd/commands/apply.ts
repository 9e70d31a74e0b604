import { resolve } from 'node:path';
import {
  type ApplyResult,
  type ChangeSet,
  hasRefusals,
  isEmpty,
  parseChangeSet,
  probeFailure,
} from '../../core/change/index.ts';
import { TidemarkError } from '../../core/error.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { readRegularFile } from '../../core/regular-file.ts';
import { applyChangeSet, changeSetFor, readDesired } from '../change.ts';
import type { Workspace } from '../compose.ts';
import { confirm } from '../confirm.ts';
import type { Output } from '../output.ts';
import type { Register } from '../verb.ts';
import { changeSetText } from '../views/change-set.ts';

export const registerApply: Register = (program, bind) => {
  program
    .command('apply')
    .description('Make the configuration the applied state, after showing what changes and asking.')
    .argument('[saved]', 'a change set of `tidemark plan --out`: exactly that is applied, without asking')
    .option('--auto-approve', 'do not ask')
    .action(
      bind(async (workspace, saved: string | undefined, options: { autoApprove?: boolean }) => {
        const changeSet = saved === undefined ? await freshChangeSet(workspace) : await readSaved(workspace, saved);
        const asks = saved === undefined && options.autoApprove !== true;
        if (asks && !isEmpty(changeSet) && !hasRefusals(changeSet)) await confirm(workspace, 'Apply this?');
        const result = await applyChangeSet(workspace, changeSet, workspace.signal);
        if (result.unusable.length > 0) throw unusable(workspace, result);
        show(workspace, changeSet, result);
        return exitCodes.ok;
      }),
    );
};

async function freshChangeSet(workspace: Workspace): Promise<ChangeSet> {
  const changeSet = await changeSetFor(workspace, await readDesired(workspace, { secrets: true }));
  const { output } = workspace;
  output.say(changeSetText(changeSet, { color: output.messageLook.colour }));
  return changeSet;
}

async function readSaved({ surroundings }: Workspace, file: string): Promise<ChangeSet> {
  const path = resolve(surroundings.cwd, file);
  const { bytes, unreadable, cause } = await readRegularFile(path, mostSavedBytes);
  if (bytes !== undefined) return parseChangeSet(bytes.toString('utf8'));
  throw new TidemarkError('USAGE', `${path} cannot be read: ${unreadable}`, {
    hint: 'Name a file that `tidemark plan --out FILE` wrote.',
    cause,
  });
}

/** A change set of the largest configuration that there may be. */
const mostSavedBytes = 256 * 1024 * 1024;

/** Nothing had to be applied, and what is applied cannot be used: that is no success. */
function unusable({ output }: Workspace, { warnings, unusable }: ApplyResult): TidemarkError {
  showWarnings(output, warnings);
  return probeFailure(unusable);
}

function showWarnings(output: Output, warnings: ApplyResult['warnings']): void {
  if (!output.json) for (const { address, summary, hint } of warnings) output.warn(`${address}: ${summary}`, hint);
}

function show({ output }: Workspace, changeSet: ChangeSet, { state, warnings }: ApplyResult): void {
  showWarnings(output, warnings);
  const text = isEmpty(changeSet) ? 'nothing to apply\n' : `applied: ${doneText(changeSet)}; serial ${state.serial}\n`;
  output.result(text, { applied: !isEmpty(changeSet), serial: state.serial, changeSet, warnings });
}

function doneText({ summary }: ChangeSet): string {
  const { add, change, remove } = summary;
  return `${add} added, ${change} changed, ${remove} removed`;
}
