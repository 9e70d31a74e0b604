import type { NotRestored } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import { ServerError } from '../protocol/server-error.ts';

/** Why one thing is not whole in the target, while the restore goes on with the others. */
export type Failure = Pick<NotRestored, 'why' | 'detail'>;

/**
 * What costs one object: damage in the repository, or a statement that the server refused. Undefined for what ends the
 * restore, because everything after it would fail too: the connection is lost, the server stops, its disk is full.
 */
export function failureOf(thrown: unknown, engine?: string): Failure | undefined {
  if (hasCode(thrown, 'REPOSITORY_CORRUPT', 'BACKUP_INCOMPLETE')) return { why: 'damaged', detail: thrown.message };
  if (hasCode(thrown, 'VERIFY_FAILED')) return { why: 'refused', detail: thrown.message };
  if (!(thrown instanceof ServerError) || endsEverything(thrown, engine)) return undefined;
  return { why: 'refused', detail: thrown.message };
}

function endsEverything({ errno, message }: ServerError, engine: string | undefined): boolean {
  if (errno === tableFull) return engine !== 'MEMORY'; // whose limit is a setting, not the disk
  return forAll.has(errno) || /\berr(or|no):? 28\b|no space left|disk quota/i.test(message);
}

const tableFull = 1114;

const forAll = new Set([
  ...[1021, 1037, 1041], // disk full, out of memory
  ...[1053, 1152, 1317, 1927], // shut down, connection aborted, interrupted, killed
  ...[1040, 1203, 1226], // limits of connections and accounts
  ...[1290, 1792, 1836], // read-only
]);
