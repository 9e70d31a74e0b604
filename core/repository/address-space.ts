import { readFileSync } from 'node:fs';

let limited: boolean | undefined;

/**
 * Whether this process has a limit of address space (`ulimit -v`). Then nothing may be reserved that may never be used, also
 * where that would succeed: V8 ends the process when a thread finds none. False where the system does not tell.
 */
export function hasLimitedAddressSpace(): boolean {
  limited ??= isLimited();
  return limited;
}

function isLimited(): boolean {
  try {
    return !/^Max address space +unlimited/m.test(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return false;
  }
}
