import { isServerError } from '../protocol/server-error.ts';
import { waitAgain, waitShortly } from '../protocol/session.ts';
import { isAtLeast, type Server } from '../server.ts';
import type { Dump } from './work.ts';

/**
 * Runs `look` while no table can be made, dropped, renamed or altered; writers go on. For moments only, because what
 * changes tables waits meanwhile. Where the server has no such lock, the account may not take it or it is not free for
 * seconds, `look` runs without it.
 */
export async function whileNothingMoves<Result>(work: Dump, look: () => Promise<Result>): Promise<Result> {
  const { control } = work;
  const lock = lockOf(work.server);
  if (lock === undefined) return await look();
  await control.execute(waitShortly);
  let taken = 0;
  try {
    for (const statement of lock.take) {
      if (!(await isTaken(work, statement))) break;
      taken++;
    }
    return await look();
  } finally {
    if (taken > 0) await control.execute(lock.release);
    await control.execute(waitAgain);
  }
}

function lockOf(server: Server): { take: readonly string[]; release: string } | undefined {
  if (isAtLeast(server, { mariadb: 1004 })) {
    return { take: ['BACKUP STAGE START', 'BACKUP STAGE BLOCK_DDL'], release: 'BACKUP STAGE END' };
  }
  if (isAtLeast(server, { mysql: 800 })) return { take: ['LOCK INSTANCE FOR BACKUP'], release: 'UNLOCK INSTANCE' };
  return undefined;
}

async function isTaken({ control }: Dump, statement: string): Promise<boolean> {
  try {
    await control.execute(statement);
    return true;
  } catch (error) {
    if (isServerError(error, lockWaitTimeout, ...denied)) return false;
    throw error;
  }
}

const lockWaitTimeout = 1205;
const denied = [1044, 1045, 1227, 3200];
