import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Halves the time that a verb takes to start. To be called before anything large is imported. Not in the shared
 * temporary folder, where others could plant code.
 */
export function useCompileCache(): void {
  const { CACHE_DIRECTORY, XDG_CACHE_HOME } = process.env;
  const folder = join(CACHE_DIRECTORY ?? XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tidemark');
  if (isAbsolute(folder)) enableCompileCache(folder); // HOME may be empty
}
