import { open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asTidemarkError, TidemarkError } from '../core/error.ts';

/**
 * Writes a file that only its owner reads, durably, and reads it back. Throws USAGE when there is anything of that name,
 * or it cannot be written: then there is none.
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((cause) => {
    throw unwritable(path, cause);
  });
  try {
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await syncFolder(dirname(path));
    if ((await readFile(path, 'utf8')) !== text) throw new Error('it does not read as it was written');
  } catch (cause) {
    await file.close().catch(() => {});
    await unlink(path).catch(() => {});
    throw unwritable(path, cause);
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function unwritable(path: string, cause: unknown): TidemarkError {
  const { message } = asTidemarkError(cause);
  return new TidemarkError('USAGE', `${path} cannot be written: ${message.replace(/^unexpected: /, '')}`, {
    hint: 'Name a file that is not there yet, in a folder where you may write.',
    cause,
  });
}
