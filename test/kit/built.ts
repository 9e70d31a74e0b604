import { join } from 'node:path';
import { isJustBuilt } from '../../build/record.ts';
import { runOk } from './process.ts';

const root = join(import.meta.dirname, '../..');

/** The start of what is built, of what is there now: `npm test` has built it, unless files changed since. */
export async function builtStart(): Promise<string> {
  if (!isJustBuilt(root)) await runOk(process.execPath, [join(root, 'build/build.ts')]);
  return join(root, 'dist/tidemark.js');
}
