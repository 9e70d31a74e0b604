import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, type RunOptions, runOk } from './process.ts';
import type { Owner } from './scope.ts';
import { tempFolder } from './temp.ts';

/** Stock restic on a repository folder. Rejects with what restic said when it fails. */
export type Restic = (args: readonly string[], options?: RunOptions) => Promise<Ran>;

export async function restic(t: Owner, repositoryFolder: string, password: string): Promise<Restic> {
  const passwordFile = join(await tempFolder(t), 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const common = ['--repo', repositoryFolder, '--password-file', passwordFile, '--no-cache'];
  return (args, options) => runOk('restic', [...common, ...args], options);
}
