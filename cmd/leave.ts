import { accessSync, constants } from 'node:fs';

/**
 * Ends this process now. Node's own exit first waits for every call to the system that is under way, and one to a server
 * of files that is away never returns: so the process becomes a shell, which has nothing to do but to end.
 */
export function leave(exitCode: number): never {
  if (process.execve !== undefined && isThere(shell)) process.execve(shell, ['sh', '-c', `exit ${exitCode}`], {});
  process.exit(exitCode);
}

const shell = '/bin/sh';

/** Looked at before: an `execve` that fails ends the process as a crash. */
function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
