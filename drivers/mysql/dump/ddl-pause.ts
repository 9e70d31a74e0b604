import { isAtLeast, type Server } from '../server.ts';
import { type Lock, underLock } from './brief-lock.ts';
import type { Dump } from './work.ts';

/**
 * Runs `look` while no table can be made, dropped, renamed or altered; writers go on. For moments only, because what
 * changes tables waits meanwhile. Where the server has no such lock, the account may not take it or it is not free for
 * seconds, `look` runs without it, and is told so.
 */
export async function whileNothingMoves<Result>(
  { control, server }: Dump,
  look: (isHeld: boolean) => Promise<Result>,
): Promise<Result> {
  const lock = lockOf(server);
  return lock === undefined ? await look(false) : await underLock(control, lock, denied, look);
}

function lockOf(server: Server): Lock | undefined {
  if (isAtLeast(server, { mariadb: 1004 })) {
    return { take: ['BACKUP STAGE START', 'BACKUP STAGE BLOCK_DDL'], release: 'BACKUP STAGE END' };
  }
  if (isAtLeast(server, { mysql: 800 })) return { take: ['LOCK INSTANCE FOR BACKUP'], release: 'UNLOCK INSTANCE' };
  return undefined;
}

const denied = [1044, 1045, 1227, 3200];
