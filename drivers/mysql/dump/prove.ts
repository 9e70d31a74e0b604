import { type CensusEntry, keyOf, numberOf, takeCensus } from '../inventory/census.ts';
import { readCode } from '../inventory/inventory.ts';
import { whileNothingMoves } from './ddl-pause.ts';
import { isStored, type Ledger } from './ledger.ts';
import { storeObjects } from './object-dump.ts';
import type { Started } from './snapshot.ts';
import type { Dump } from './work.ts';

/** The last look: what was there at the backup's moment, by number or by name, and is not in the backup. */
export async function findMissing(work: Dump, { before }: Started, ledger: Ledger): Promise<CensusEntry[]> {
  await storeCode(work, ledger);
  const look = () => takeCensus(work.control, work.selection, work.dictionary);
  const first = await look();
  const census = first.moving ? await whileNothingMoves(work, look) : first;
  const { whole, unread, beside, newer } = ledger;
  const names = new Set(whole.map((one) => keyOf(one.table)));
  const numbers = new Set(whole.flatMap((one) => one.table.spaces.map(numberOf)));
  const missing = [...census.entries.values()].filter((one) => {
    const key = keyOf(one);
    if (names.has(key) || newer.has(key) || isStored(beside, one)) return false;
    if (unread.has(key)) return unread.get(key)!.state === 'changed';
    if (one.spaces.length === 0) return true;
    const isCovered = one.spaces.every((space) => numbers.has(numberOf(space)));
    return !isCovered && one.spaces.some((space) => numberOf(space) <= before.newestNumber);
  });
  for (const one of missing) ledger.miss(one);
  return missing;
}

/** Routines and events that came, or got another name. */
async function storeCode(work: Dump, { beside, databases }: Ledger): Promise<void> {
  for (const database of new Map(databases.map((one) => [one.name, one])).values()) {
    const code = await readCode(work.control, work.selection, database.name);
    await storeObjects(work, [{ ...database, tables: [], views: [], sequences: [], ...code }], beside);
  }
}
