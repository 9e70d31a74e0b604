import { exitCodes } from '../../core/error-codes.ts';
import { readNewPassword } from '../read-secret.ts';
import type { Register } from '../verb.ts';
import { keysTable } from '../views/keys.ts';

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
        const id = await addKey(context, destination, secret, workspace.signal);
        workspace.output.result(`key ${id.slice(0, 8)} is added\n`, { key: id });
        return exitCodes.ok;
      }),
    );
  key
    .command('remove')
    .description('Take a key away: its password opens the repository no more.')
    .argument('<destination>', 'name of an applied destination')
    .argument('<key>', 'the beginning of the id of a key, as `key list` shows it')
    .action(
      bind(async ({ operationContext, output, signal }, destination: string, idPart: string) => {
        const { removeKey } = await operations();
        const id = await removeKey(await operationContext(), destination, idPart, signal);
        output.result(`key ${id.slice(0, 8)} is removed\n`, { key: id });
        return exitCodes.ok;
      }),
    );
};
