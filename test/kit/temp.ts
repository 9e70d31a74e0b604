import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd, type Owner } from './scope.ts';

/** A new empty folder, removed when the test has passed, kept and named when it has failed. */
export async function tempFolder(t: Owner, name = 'test'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `tidemark-${name}-`));
  atEnd(t, async (passed) => {
    if (passed) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    else if ('diagnostic' in t) t.diagnostic(`kept: ${folder}`);
  });
  return folder;
}
