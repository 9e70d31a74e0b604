import { type Census, takeCensus } from '../inventory/census.ts';
import { readCode } from '../inventory/inventory.ts';
import { whileNothingMoves } from './ddl-pause.ts';
import type { Ledger } from './ledger.ts';
import { storeObjects } from './object-dump.ts';
import type { Dump, Unread } from './work.ts';

/**
 * The last look: what was there at the backup's moment, is not in the backup and may be found yet. When things moved also
 * during this look (`census.moving`), there may be more.
 */
export async function findOpen(work: Dump, ledger: Ledger): Promise<{ open: Unread[]; census: Census }> {
  await storeCode(work, ledger);
  const look = () => takeCensus(work.control, work.selection, work.dictionary);
  const first = await look();
  const census = first.moving ? await whileNothingMoves(work, look) : first;
  ledger.want(census);
  return { open: ledger.open().filter((one) => one.state === 'changed'), census };
}

/** Routines and events that came, or got another name. */
async function storeCode(work: Dump, { beside, databases }: Ledger): Promise<void> {
  for (const database of new Map(databases.map((one) => [one.name, one])).values()) {
    const code = await readCode(work.control, work.selection, database.name);
    await storeObjects(work, [{ ...database, tables: [], views: [], sequences: [], ...code }], beside);
  }
}
