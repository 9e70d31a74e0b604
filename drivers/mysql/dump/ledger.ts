import { type CensusEntry, keyOf, numberOf } from '../inventory/census.ts';
import type { DatabaseEntry, Inventory, TableEntry } from '../inventory/inventory.ts';
import { objectKey, type StoredObjects } from './object-dump.ts';
import type { Started } from './snapshot.ts';
import type { TablesRead } from './table-dump.ts';
import type { Unread } from './work.ts';

/** What is proven to be in the backup, and what is known not to be. */
export interface Ledger {
  readonly whole: readonly TablesRead['whole'][number][];
  /** By `keyOf`. */
  readonly unread: ReadonlyMap<string, Unread>;
  readonly beside: StoredObjects;
  /** What was described, for the columns of its views. */
  readonly databases: readonly DatabaseEntry[];
  /** Made after the backup's moment, so not missing, by `keyOf`. */
  readonly newer: Set<string>;
  describe(inventory: Inventory): void;
  /** May not be read by the account, and the user knows. */
  hide(table: TableEntry): void;
  /** Was there at the backup's moment, and is not in the backup. */
  miss(entry: CensusEntry): void;
  add(read: TablesRead): void;
}

export function newLedger({ before, inventory }: Started): Ledger {
  const whole: TablesRead['whole'][number][] = [];
  const unread = new Map<string, Unread>();
  const databases: DatabaseEntry[] = [];
  const newer = new Set<string>();
  const miss = (one: Unread) => {
    const isNewer = one.spaces.length > 0 && one.spaces.every((space) => numberOf(space) > before.newestNumber);
    if (isNewer && !before.entries.has(keyOf(one)) && !unread.has(keyOf(one))) newer.add(keyOf(one));
    else unread.set(keyOf(one), one);
  };
  const ledger: Ledger = {
    whole,
    unread,
    databases,
    newer,
    beside: { databases: new Map(), objects: new Map(), unread: new Map() },
    describe(described) {
      databases.push(...described.databases);
      for (const one of described.unreadable) {
        const isKnown = unread.has(keyOf(one));
        miss({ ...one, spaces: [], state: isKnown ? 'unreadable' : 'changed' });
      }
      for (const one of described.unseen) miss({ ...one, state: 'changed', why: 'it was being renamed or dropped' });
    },
    hide(table) {
      unread.set(keyOf(table), { ...table, state: 'unreadable', why: 'the account may not read it' });
    },
    miss(one) {
      if (!unread.has(keyOf(one)))
        unread.set(keyOf(one), { ...one, state: 'changed', why: 'it would not stand still' });
    },
    add(read) {
      whole.push(...read.whole);
      for (const one of read.unread) miss(one);
      for (const { table } of read.whole) {
        for (const [key, one] of unread) if (isSame(one, table)) unread.delete(key);
      }
    },
  };
  ledger.describe(inventory);
  return ledger;
}

/** By its numbers a table is known whatever it is called; by its name it is known when it was made anew. */
function isSame(a: CensusEntry, b: TableEntry): boolean {
  const numbers = new Set(a.spaces.map(numberOf));
  return keyOf(a) === keyOf(b) || b.spaces.some((space) => numbers.has(numberOf(space)));
}

/** As what is no table; or it is known that it cannot be. */
export function isStored({ objects, unread }: StoredObjects, { database, name }: CensusEntry): boolean {
  const keys = [objectKey('view', database, name), objectKey('sequence', database, name)];
  return keys.some((key) => objects.has(key) || unread.get(key)?.hidden === true);
}

export interface Lost {
  /** `table shop.orders`. */
  readonly what: string;
  readonly why: string;
}

/** What was there at the backup's moment, or may have been, and is not in the backup. */
export function lostOf({ unread, beside, newer }: Ledger): Lost[] {
  const open = [...unread].filter(([key, one]) => !newer.has(key) && !isStored(beside, one)).map(([, one]) => one);
  const tables = open.map(({ database, name, why }) => ({ what: `table ${database}.${name}`, why }));
  return [...tables, ...beside.unread.values()];
}
