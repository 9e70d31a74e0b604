import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Ran, run, runOk } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';

export const root = join(import.meta.dirname, '../..');
const sources = ['package.json', 'package-lock.json', 'tsconfig.json', 'build', 'cmd', 'core', 'drivers', 'schemas'];

/** A copy that may be changed and built. */
export async function copiedCheckout(t: TestContext): Promise<string> {
  const folder = join(await tempFolder(t), 'checkout');
  await mkdir(folder);
  await runOk('cp', ['-a', ...sources.map((name) => join(root, name)), folder]);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

export function build(folder: string): Promise<Ran> {
  return run(process.execPath, [join(folder, 'build/build.ts')]);
}
