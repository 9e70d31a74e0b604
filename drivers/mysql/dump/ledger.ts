import { type Census, type CensusEntry, keyOf, numberOf } from '../inventory/census.ts';
import type { DatabaseEntry, Inventory, TableEntry } from '../inventory/inventory.ts';
import { objectKey, type StoredObjects } from './object-dump.ts';
import type { Started } from './snapshot.ts';
import type { TablesRead } from './table-dump.ts';
import type { Unread } from './work.ts';

/** What is proven to be in the backup, and what was there at its moment and is not. */
export interface Ledger {
  /** By `keyOf`. A table that is read again takes the place of what was read under its name before. */
  readonly whole: ReadonlyMap<string, TablesRead['whole'][number]>;
  /** Of the tables that are whole. */
  readonly numbers: ReadonlySet<number>;
  /** Sequences have numbers, too: the `objectKey` of each. */
  readonly sequences: Map<number, string>;
  /** What was described as a table, or as one that the server cannot open, by `keyOf`. */
  readonly tables: ReadonlySet<string>;
  readonly beside: StoredObjects;
  /** What was described, for the columns of its views. */
  readonly databases: readonly DatabaseEntry[];
  /** May be another table's rows, by `keyOf`. */
  readonly doubted: ReadonlyMap<string, TableEntry>;
  /** Made after the backup's moment, so not missing, by `keyOf`. */
  readonly newer: Set<string>;
  /** What stands in a look at the server and may have been there at the backup's moment has to be in the backup. */
  want(look: Census): void;
  /** `look` is what `inventory` describes. */
  describe(inventory: Inventory, look: Census): void;
  /** May not be read by the account, and the user knows. */
  hide(table: TableEntry): void;
  /** It was read, and nobody knows whether under the name of another. */
  doubt(table: TableEntry): void;
  add(read: TablesRead): void;
  /** What was read under this name is in the backup no longer. */
  drop(table: Pick<TableEntry, 'database' | 'name'>): void;
  /** Whether this very table is in the backup, under whatever name. */
  holds(table: TableEntry): boolean;
  /** What is wanted and not in the backup, each under the name that it had when it was seen first, and why. */
  open(): Unread[];
}

export function newLedger({ before, after, inventory }: Started): Ledger {
  const newestOfMoment = Math.max(before.newestNumber, after.newestNumber);
  const whole = new Map<string, TablesRead['whole'][number]>();
  const reasons = new Map<string, Pick<Unread, 'state' | 'why'>>();
  const wanted = new Map<number | string, Wanted>();
  const doubted = new Map<string, TableEntry>();
  const tables = new Set<string>();
  const databases: DatabaseEntry[] = [];
  let numbers = new Set<number>();
  let unlisted = new Set<number>();
  const ledger: Ledger = {
    whole,
    get numbers() {
      return numbers;
    },
    databases,
    tables,
    doubted,
    newer: new Set(),
    beside: { databases: new Map(), objects: new Map(), unread: new Map(), doubted: new Map() },
    want({ entries, nameless, newestNumber }) {
      unlisted = new Set(nameless.flatMap(({ spaces }) => spaces.map(numberOf)));
      for (const entry of [...entries.values(), ...nameless]) {
        for (const id of idsOf(entry, newestOfMoment)) if (!wanted.has(id)) wanted.set(id, { entry, newestNumber });
      }
    },
    sequences: new Map(),
    describe(described, { entries }) {
      databases.push(...described.databases);
      for (const one of described.databases.flatMap((database) => database.tables)) tables.add(keyOf(one));
      for (const one of described.unreadable) tables.add(keyOf(one));
      for (const { name: database, sequences } of described.databases) {
        for (const name of sequences) {
          const spaces = entries.get(keyOf({ database, name }))?.spaces ?? [];
          for (const space of spaces) ledger.sequences.set(numberOf(space), objectKey('sequence', database, name));
        }
      }
      for (const one of described.unreadable) {
        const isKnown = reasons.has(keyOf(one));
        reasons.set(keyOf(one), { state: isKnown ? 'unreadable' : 'changed', why: one.why });
      }
      for (const one of described.undescribed)
        reasons.set(keyOf(one), { state: 'changed', why: 'it was being renamed or dropped' });
    },
    hide(table) {
      reasons.set(keyOf(table), { state: 'unreadable', why: 'the account may not read it' });
    },
    doubt(table) {
      doubted.set(keyOf(table), table);
    },
    drop(table) {
      whole.delete(keyOf(table));
    },
    add(read) {
      for (const one of read.unread) reasons.set(keyOf(one), { state: one.state, why: one.why });
      for (const one of read.whole) whole.set(keyOf(one.table), one);
      for (const one of read.whole) reasons.delete(keyOf(one.table));
      numbers = new Set([...whole.values()].flatMap(({ table }) => table.spaces.map(numberOf)));
    },
    holds(table) {
      if (table.spaces.length === 0) return whole.has(keyOf(table));
      return table.spaces.every((space) => numbers.has(numberOf(space)));
    },
    open() {
      const open = [...wanted].filter(([id, one]) => !isCovered(id, one, ledger)).map(([, { entry }]) => entry);
      return [...new Set(open)].map((one) => ({
        ...one,
        ...(reasons.get(keyOf(one)) ?? reasonOf(one, ledger, unlisted)),
      }));
    },
  };
  for (const look of [before, after]) ledger.want(look);
  ledger.describe(inventory, after);
  return ledger;
}

interface Wanted {
  readonly entry: CensusEntry;
  /** Of the look in which it was seen first. */
  readonly newestNumber: number;
}

/** Its numbers, but for those given after the backup's moment; the name of what has no numbers. */
function idsOf(entry: CensusEntry, newestOfMoment: number): (number | string)[] {
  if (entry.spaces.length === 0) return [keyOf(entry)];
  return entry.spaces.map(numberOf).filter((number) => number <= newestOfMoment);
}

/**
 * By its number a table is known whatever it is called. Its name counts where it has no number, and where what was read
 * under it was made after the look, as by TRUNCATE and by ALTER: not where another table got its name.
 */
function isCovered(id: number | string, { entry, newestNumber }: Wanted, ledger: Ledger): boolean {
  const ofItsName = ledger.whole.get(keyOf(entry))?.table;
  if (typeof id === 'string') return ofItsName !== undefined || ledger.newer.has(id) || isStored(ledger.beside, entry);
  if (ledger.numbers.has(id) || ledger.beside.objects.has(ledger.sequences.get(id) ?? '')) return true;
  const spaces = ofItsName?.spaces ?? [];
  return spaces.length > 0 && spaces.every((space) => numberOf(space) > newestNumber);
}

/** As what is no table; or it is known that it cannot be. */
function isStored({ objects, unread }: StoredObjects, entry: CensusEntry): boolean {
  return objectKeysOf(entry).some((key) => objects.has(key) || unread.get(key)?.hidden === true);
}

function objectKeysOf({ database, name }: CensusEntry): string[] {
  return [objectKey('view', database, name), objectKey('sequence', database, name)];
}

/** `unlisted`: the numbers that stood under no name in the last look. */
function reasonOf(entry: CensusEntry, { whole }: Ledger, unlisted: ReadonlySet<number>): Pick<Unread, 'state' | 'why'> {
  if (entry.spaces.some((space) => unlisted.has(numberOf(space))))
    return { state: 'changed', why: 'InnoDB holds it, and the server does not list it' };
  const why = 'it went away or would not stand still';
  if (!whole.has(keyOf(entry))) return { state: 'changed', why };
  return { state: 'changed', why: `${why}, and in the backup another stands under its name` };
}

export interface Lost {
  /** `table shop.orders`. */
  readonly what: string;
  readonly why: string;
}

/** What was there at the backup's moment, or may have been, and is not in the backup. */
export function lostOf(ledger: Ledger): Lost[] {
  const { unread } = ledger.beside;
  const tables = ledger
    .open()
    .filter((one) => one.spaces.length > 0 || !objectKeysOf(one).some((key) => unread.has(key)))
    .map((one) => ({ what: `${kindOf(one, ledger)} ${one.database}.${one.name}`, why: one.why }));
  return [...tables, ...unread.values()];
}

/** What moved whenever it was to be described has a name alone; views and some sequences have no number either. */
function kindOf(entry: CensusEntry, { tables, sequences }: Ledger): string {
  if (entry.spaces.some((space) => sequences.has(numberOf(space)))) return 'sequence';
  return entry.spaces.length > 0 || tables.has(keyOf(entry)) ? 'table' : 'table, view or sequence';
}
