import type { Connection } from '../protocol/connection.ts';
import { errno, isServerError } from '../protocol/server-error.ts';
import { staysWhenSilent, waitPatiently, waitShortly } from '../protocol/session.ts';

/** A lock on all of a server. */
export interface Lock {
  /** The last of these statements takes it. */
  readonly take: readonly string[];
  readonly release: string;
}

/**
 * Runs `work` under a lock, or without it where it is not free for seconds or an error of `mayRefuse` says that the account
 * may not take it. For moments only. When this host falls silent meanwhile, without power or network, the server ends the
 * session, and the lock with it, after `endedWhenSilentSeconds`: nothing may leave the session without work for so long.
 */
export async function underLock<Result>(
  control: Connection,
  lock: Lock,
  mayRefuse: readonly number[],
  work: (isHeld: boolean) => Promise<Result>,
): Promise<Result> {
  await control.execute(waitShortly);
  await control.execute(`SET SESSION wait_timeout = ${endedWhenSilentSeconds}`);
  let taken = 0;
  try {
    for (const statement of lock.take) {
      if (!(await isTaken(control, statement, mayRefuse))) break;
      taken++;
    }
    return await work(taken === lock.take.length);
  } finally {
    if (taken > 0) await control.execute(lock.release);
    await control.execute(staysWhenSilent);
    await control.execute(waitPatiently);
  }
}

export const endedWhenSilentSeconds = 10;

async function isTaken(control: Connection, statement: string, mayRefuse: readonly number[]): Promise<boolean> {
  try {
    await control.execute(statement);
    return true;
  } catch (error) {
    if (isServerError(error, errno.lockWaitTimeout, ...mayRefuse)) return false;
    throw error;
  }
}
