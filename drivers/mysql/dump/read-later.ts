import { type Census, type CensusEntry, keyOf, numberOf, takeCensus } from '../inventory/census.ts';
import { describe, type Inventory, type TableEntry } from '../inventory/inventory.ts';
import { serverTime } from './consistent-point.ts';
import type { Ledger } from './ledger.ts';
import { storeObjects } from './object-dump.ts';
import type { Started } from './snapshot.ts';
import { dumpTables } from './table-dump.ts';
import { type Dump, mayRead } from './work.ts';

/**
 * Reads what would not stand still, at a moment of its own: a data thread holds the tables, then they are described,
 * then it reads them in one transaction, whose snapshot begins with the first row. Whoever wants to change these tables
 * waits so long; nobody else may then wait for the tables on our behalf, so one thread does it all. Ends its snapshot of
 * the backup's moment.
 */
export async function readLater(
  work: Dump,
  started: Started,
  ledger: Ledger,
  wanted: readonly CensusEntry[],
): Promise<void> {
  const inventory = await readHeld(work, started, ledger, await hold(work, wanted));
  await storeObjects(work, inventory.databases, ledger.beside);
}

async function readHeld(work: Dump, started: Started, ledger: Ledger, held: Census): Promise<Inventory> {
  try {
    const inventory = await describe(work.control, work.selection, held);
    ledger.describe(inventory, held);
    const found = inventory.databases.flatMap((one) => one.tables);
    const wanted = found.filter((table) => !isNewer(table, started, ledger) && !ledger.holds(table));
    const tables = wanted.filter((table) => mayRead(work, table));
    for (const table of wanted) if (!mayRead(work, table)) ledger.hide(table);
    if (tables.length > 0) ledger.add(await dumpTables({ ...work, count: 1 }, tables, await serverTime(work.control)));
    return inventory;
  } finally {
    await work.threads.runOn(0, { do: 'letGo' });
  }
}

/** What InnoDB does not number tells its age, to the second. */
function isNewer(table: TableEntry, { before, point }: Started, ledger: Ledger): boolean {
  if (table.spaces.length > 0 || before.entries.has(keyOf(table)) || table.created === null) return false;
  const isNew = table.created.replace(' ', 'T') > point.time.slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  if (isNew) ledger.newer.add(keyOf(table));
  return isNew;
}

/** Follows a table that is being renamed by its numbers until it is held under the name that it then has. */
async function hold(work: Dump, wanted: readonly CensusEntry[]): Promise<Census> {
  const held = new Set<string>();
  let open = [...wanted];
  for (let round = 0; round < rounds && open.length > 0; round++) {
    const census = await takeCensus(work.control, work.selection, work.dictionary);
    open = [...new Set(open.flatMap((one) => currentOf(census, one)))];
    const anew = held.size === 0;
    const result = await work.threads.runOn(0, { do: 'hold', tables: open.map(keyOf), anew });
    if (result.held === undefined) {
      held.clear();
      open = [...wanted];
      continue;
    }
    for (const key of result.held) held.add(key);
    open = open.filter((one) => !held.has(keyOf(one)));
  }
  const census = await takeCensus(work.control, work.selection, work.dictionary);
  const entries = [...held].flatMap((key) => census.entries.get(key) ?? []);
  return { ...census, entries: new Map(entries.map((one) => [keyOf(one), one])) };
}

const rounds = 20;

/** Where its parts are now; of what has no parts any more, what has its name. */
function currentOf(census: Census, entry: CensusEntry): CensusEntry[] {
  const numbers = new Set(entry.spaces.map(numberOf));
  const moved = [...census.entries.values()].filter((one) => one.spaces.some((space) => numbers.has(numberOf(space))));
  const named = census.entries.get(keyOf(entry));
  return moved.length > 0 || named === undefined ? moved : [named];
}
