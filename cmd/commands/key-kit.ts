import { resolve } from 'node:path';
import type { Command } from 'commander';
import { TidemarkError } from '../../core/error.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { readRegularFile } from '../../core/regular-file.ts';
import type { Workspace } from '../compose.ts';
import { findDestination } from '../find-destination.ts';
import { writeSecretFile } from '../secret-file.ts';
import type { Bind } from '../verb.ts';

interface Where {
  readonly out?: string;
  readonly stdout?: boolean;
}

/** `key export` and `key import`: recovery kits. */
export function registerKit(key: Command, bind: Bind): void {
  key
    .command('export')
    .description('Make a recovery kit, to be printed and locked away: it opens the repository without any password.')
    .argument('<destination>', 'name of an applied destination')
    .option('--out <file>', 'write it to this file, which must not be there yet; only its owner may read it')
    .option('--stdout', 'print it, for a pipe to a printer')
    .action(bind(exportKit));
  key
    .command('import')
    .description('Let a password open the repository by a recovery kit, when keys are lost or the password is.')
    .argument('<destination>', 'name of a destination: an applied one, or one of the configuration')
    .requiredOption('--kit <file>', 'the lines of the kit, as typed or scanned')
    .option('--password <reference>', 'where the new password is, if not where `password` of the destination refers to')
    .action(bind(importKit));
}

async function exportKit(workspace: Workspace, destination: string, { out, stdout }: Where): Promise<number> {
  const { output, surroundings, signal } = workspace;
  if ((out === undefined) === (stdout === undefined) || (stdout && output.json)) {
    throw new TidemarkError('USAGE', 'where the recovery kit goes must be said, and only to one place', {
      hint: 'Give `--out FILE`, or `--stdout` without `--json`. Whoever reads it can read the repository.',
    });
  }
  const operations = await import('../../core/operation/index.ts');
  const text = await operations.exportKit(await workspace.operationContext(), destination, signal);
  if (out === undefined) {
    output.raw(text);
    return exitCodes.ok;
  }
  const file = resolve(surroundings.cwd, out);
  await writeSecretFile(file, text);
  const advice = 'print it, lock the paper away in another place than the repository, and delete the file';
  output.result(`the recovery kit is in ${file}: ${advice}\n`, { file });
  return exitCodes.ok;
}

async function importKit(
  workspace: Workspace,
  name: string,
  options: { kit: string; password?: string },
): Promise<number> {
  const { output, signal } = workspace;
  const kit = await readKit(workspace, options.kit);
  const destination = await findDestination(workspace, name);
  const context = await workspace.operationContext();
  const password = options.password === undefined ? undefined : await context.secret(options.password);
  const operations = await import('../../core/operation/index.ts');
  const imported = await operations.importKit(context, destination, kit, password, signal);
  const { key, added, configMade } = imported;
  const done = added ? 'is added and opens the repository' : 'opens the repository with this password already';
  const config = configMade ? '`config` of the repository was lost and is made anew\n' : '';
  output.result(`key ${key.slice(0, 8)} ${done}\n${config}`, imported);
  return exitCodes.ok;
}

/** Throws USAGE. Nothing of what is in the file is told. */
async function readKit({ surroundings }: Workspace, file: string): Promise<string> {
  const path = resolve(surroundings.cwd, file);
  const { bytes, unreadable, cause } = await readRegularFile(path, mostKitBytes);
  if (bytes !== undefined) return bytes.toString('utf8');
  throw new TidemarkError('USAGE', `${path} cannot be read: ${unreadable}`, {
    hint: 'Name a file with the lines of a recovery kit of `tidemark key export`.',
    cause,
  });
}

const mostKitBytes = 1024 * 1024;
