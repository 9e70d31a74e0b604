import { asTidemarkError, TidemarkError } from '../../../core/error.ts';
import { qualifiedName } from '../protocol/connection.ts';
import { openSession } from '../protocol/session.ts';
import type { ServerAddress } from '../settings.ts';
import type { LoadLedger } from './ledger.ts';

/**
 * The error of a restore that ended halfway, which says what is in the target. Tables that are half loaded are dropped
 * first, as far as the server still answers: none stays under its name without being named.
 */
export async function endedHalfway(
  address: ServerAddress,
  ledger: LoadLedger,
  thrown: unknown,
): Promise<TidemarkError> {
  if (ledger.tables('half loaded').length > 0) await dropAll(address, ledger);
  const { code, message, subject, hint, cause } = asTidemarkError(thrown);
  return new TidemarkError(code, `${message}; ${ledger.describe()}`, { subject, hint: hint ?? again, cause });
}

async function dropAll(address: ServerAddress, ledger: LoadLedger): Promise<void> {
  try {
    await dropEach(address, ledger, AbortSignal.timeout(limitMs));
  } catch {
    // Those that are left are named as half loaded.
  }
}

async function dropEach(address: ServerAddress, ledger: LoadLedger, signal: AbortSignal): Promise<void> {
  await using connection = await openSession(address, { signal, loginTimeoutMs });
  await connection.execute('SET SESSION foreign_key_checks = 0');
  for (const table of ledger.tables('half loaded')) {
    await connection.execute(`DROP TABLE IF EXISTS ${qualifiedName(table.database, table.name)}`);
    ledger.set(table, 'dropped');
  }
}

/** Shorter than the time after which a job that was told to end is ended by force; a rollback may take some of it. */
const limitMs = 5000;
/** A server that does not answer any more holds up nobody who cancels. */
const loginTimeoutMs = 1000;
const again = 'Restore again with `--overwrite`, which replaces what is there by now.';
