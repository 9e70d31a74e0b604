import { join } from 'node:path';
import { runOk } from '../test/kit/process.ts';
import type { Lab } from './lab.ts';

const child = join(import.meta.dirname, 'index-memory-child.ts');
const timeoutMs = 10 * 60_000;

interface Taken {
  readonly blobs: number;
  readonly tableBytes: number;
  readonly indexRss: number;
  readonly pruneRss: number;
  readonly peakRss: number;
  readonly addSeconds: number;
  readonly useSeconds: number;
  readonly findMicroseconds: number;
}

/** What the index takes of memory, and what a prune takes beside it, at one, three and ten million blobs. */
export async function indexMemory(lab: Lab): Promise<void> {
  console.log(
    '| blobs | bytes a blob | resident | with the state of a prune | at its peak | made in s | counted in s | found in µs |',
  );
  console.log('|--:|--:|--:|--:|--:|--:|--:|--:|');
  for (const millions of [1, 3, 10]) {
    const { stdout } = await runOk(process.execPath, [child, `${Math.round(millions * 1e6 * lab.scale)}`], {
      timeoutMs,
    });
    const taken = JSON.parse(stdout) as Taken;
    const each = (bytes: number) => (bytes / taken.blobs).toFixed(1);
    const cells = [
      taken.blobs,
      each(taken.tableBytes),
      each(taken.indexRss),
      each(taken.pruneRss),
      each(taken.peakRss),
      taken.addSeconds.toFixed(1),
      taken.useSeconds.toFixed(1),
      taken.findMicroseconds.toFixed(2),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
