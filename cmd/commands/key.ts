import { exitCodes } from '../../core/error-codes.ts';
import type { Workspace } from '../compose.ts';
import { readNewPassword } from '../read-secret.ts';
import type { Register } from '../verb.ts';
import { keysTable, keyWarnings } from '../views/keys.ts';
import { registerKit } from './key-kit.ts';

/** Loaded late: the repository's code takes time to load that `tidemark --help` has not. */
const operations = () => import('../../core/operation/index.ts');

export const registerKey: Register = (program, bind) => {
  const key = program.command('key').description("Show and change the passwords that open a destination's repository.");
  key
    .command('list')
    .description('List the keys; each opens the repository with its own password.')
    .argument('<destination>', 'name of an applied destination')
    .action(
      bind(async ({ operationContext, output, signal }, destination: string) => {
        const { listKeys } = await operations();
        const keys = await listKeys(await operationContext(), destination, signal);
        output.result(() => keysTable(keys, output.look), { keys });
        if (!output.json) for (const [summary, hint] of keyWarnings(destination, keys)) output.warn(summary, hint);
        return exitCodes.ok;
      }),
    );
  key
    .command('add')
    .description('Let another password open the repository: typed, piped in, or referred to.')
    .argument('<destination>', 'name of an applied destination')
    .option('--password <reference>', 'where the new password is: ${file:/path} or ${env:NAME}, never itself')
    .action(
      bind(async (workspace, destination: string, { password }: { password?: string }) => {
        const { addKey } = await operations();
        const context = await workspace.operationContext();
        const secret = password === undefined ? await readNewPassword(workspace) : await context.secret(password);
        const { id, added, next } = await addKey(context, destination, secret, workspace.signal);
        const done = added ? 'is added' : 'opens with this password already: nothing was added';
        workspace.output.result(`key ${id.slice(0, 8)} ${done}\n${next === '' ? '' : `next: ${next}\n`}`, {
          key: id,
          added,
          next,
        });
        return exitCodes.ok;
      }),
    );
  key
    .command('remove')
    .description('Take a key away: its password opens the repository no more.')
    .argument('<destination>', 'name of an applied destination')
    .argument('<key>', 'the beginning of the id of a key, as `key list` shows it')
    .action(
      bind(async (workspace, destination: string, idPart: string) => {
        const { operationContext, output, signal } = workspace;
        const { removeKey } = await operations();
        const wanted = await wantedPassword(workspace, destination);
        const id = await removeKey(await operationContext(), destination, idPart, wanted, signal);
        output.result(`key ${id.slice(0, 8)} is removed\n`, { key: id });
        return exitCodes.ok;
      }),
    );
  registerKit(key, bind);
};

/** The reference that the files have now, applied or not. Where they have mistakes, nobody knows: that is said. */
async function wantedPassword(workspace: Workspace, name: string): Promise<string | undefined> {
  const { configuration } = await workspace.configuration({ secrets: false });
  if (configuration === undefined) {
    workspace.output.warn('the configuration has mistakes: only the applied state tells which key is needed');
    return undefined;
  }
  const destinations = [...configuration.resources.values()].filter(({ collection }) => collection === 'destinations');
  const wanted = destinations.find((one) => one.name === name || one.spec.renamedFrom === name);
  return wanted === undefined ? undefined : String(wanted.spec.password);
}
