import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Lab } from './lab.ts';

const child = join(import.meta.dirname, 'large-prune-child.ts');
const timeoutMs = 60 * 60_000;

/** Blobs, and blobs in an index file: many blobs, and many index files. */
const cases = [
  [2_000_000, 50_000],
  [10_000_000, 50_000],
  [500_000, 5_000],
  [5_000_000, 5_000],
] as const;

/** What a whole prune takes, one run that marks and one that removes, of a repository whose data packs are holes. */
export async function largePrunes(lab: Lab): Promise<void> {
  console.log(
    '| blobs | blobs an index file | marks: CPU s | peak MiB | removes: CPU s | peak MiB | nobody could begin, ms |',
  );
  console.log('|--:|--:|--:|--:|--:|--:|--:|');
  for (const [blobs, each] of cases) {
    const folder = join(await lab.emptyFolder('large-prune'), 'repository');
    const step = async (...args: string[]) =>
      (await runOk(process.execPath, [child, folder, ...args], { timeoutMs })).stdout;
    const count = Math.round(blobs * lab.scale);
    await step('make', `${count}`, `${each}`);
    const [marked, removed] = [JSON.parse(await step('mark')), JSON.parse(await step('remove'))];
    const cells = [marked, removed].flatMap(({ all }) => [all.cpuSeconds.toFixed(1), Math.round(all.peakMiB)]);
    console.log(`| ${[count, each, ...cells, removed.result.gateMs].join(' | ')} |`);
    await rm(folder, { recursive: true, force: true });
  }
}
