import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './scope.ts';

/** A new empty folder, removed when the test has passed, kept and named when it has failed. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  atEnd(t, async (passed) => {
    if (passed) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    else t.diagnostic(`kept: ${folder}`);
  });
  return folder;
}
