import { type Census, type CensusEntry, keyOf, numberOf } from '../inventory/census.ts';
import type { DatabaseEntry, Inventory, TableEntry } from '../inventory/inventory.ts';
import { objectKey, type StoredObjects } from './object-dump.ts';
import type { Started } from './snapshot.ts';
import type { TablesRead } from './table-dump.ts';
import type { Unread } from './work.ts';

/** What is proven to be in the backup, and what was there at its moment and is not. */
export class Ledger {
  /** Sequences have numbers, too: the `objectKey` of each. */
  readonly sequences = new Map<number, string>();
  readonly beside: StoredObjects = { databases: new Map(), objects: new Map(), unread: new Map(), doubted: new Map() };
  /** Made after the backup's moment, so not missing, by `keyOf`. */
  readonly newer = new Set<string>();
  readonly #newestOfMoment: number;
  readonly #whole = new Map<string, TablesRead['whole'][number]>();
  readonly #reasons = new Map<string, Pick<Unread, 'state' | 'why'>>();
  readonly #wanted = new Map<number | string, Wanted>();
  readonly #doubted = new Map<string, TableEntry>();
  readonly #tables = new Set<string>();
  readonly #databases: DatabaseEntry[] = [];
  #numbers = new Set<number>();
  /** The numbers that stood under no name in the last look. */
  #unlisted = new Set<number>();

  constructor({ before, after, inventory }: Started) {
    this.#newestOfMoment = Math.max(before.newestNumber, after.newestNumber);
    for (const look of [before, after]) this.want(look);
    this.describe(inventory, after);
  }

  /** By `keyOf`. A table that is read again takes the place of what was read under its name before. */
  get whole(): ReadonlyMap<string, TablesRead['whole'][number]> {
    return this.#whole;
  }

  /** Of the tables that are whole. */
  get numbers(): ReadonlySet<number> {
    return this.#numbers;
  }

  /** What was described as a table, or as one that the server cannot open, by `keyOf`. */
  get tables(): ReadonlySet<string> {
    return this.#tables;
  }

  /** What was described, for the columns of its views. */
  get databases(): readonly DatabaseEntry[] {
    return this.#databases;
  }

  /** May be another table's rows, by `keyOf`. */
  get doubted(): ReadonlyMap<string, TableEntry> {
    return this.#doubted;
  }

  /** What stands in a look at the server and may have been there at the backup's moment has to be in the backup. */
  want({ entries, nameless, newestNumber }: Census): void {
    this.#unlisted = new Set(nameless.flatMap(({ spaces }) => spaces.map(numberOf)));
    for (const entry of [...entries.values(), ...nameless]) {
      for (const id of idsOf(entry, this.#newestOfMoment))
        if (!this.#wanted.has(id)) this.#wanted.set(id, { entry, newestNumber });
    }
  }

  /** `look` is what `inventory` describes. */
  describe({ databases, unreadable, undescribed }: Inventory, look: Census): void {
    this.#databases.push(...databases);
    for (const one of databases.flatMap((database) => database.tables)) this.#tables.add(keyOf(one));
    for (const { name, sequences } of databases) this.#numberSequences(name, sequences, look);
    for (const one of unreadable) {
      this.#tables.add(keyOf(one));
      const isKnown = this.#reasons.has(keyOf(one));
      this.#reasons.set(keyOf(one), { state: isKnown ? 'unreadable' : 'changed', why: one.why });
    }
    for (const one of undescribed)
      this.#reasons.set(keyOf(one), { state: 'changed', why: 'it was being renamed or dropped' });
  }

  /** May not be read by the account, and the user knows. */
  hide(table: TableEntry): void {
    this.#reasons.set(keyOf(table), { state: 'unreadable', why: 'the account may not read it' });
  }

  /** It was read, and nobody knows whether under the name of another. */
  doubt(table: TableEntry): void {
    this.#doubted.set(keyOf(table), table);
  }

  add({ whole, unread }: TablesRead): void {
    for (const one of unread) this.#reasons.set(keyOf(one), { state: one.state, why: one.why });
    for (const one of whole) this.#whole.set(keyOf(one.table), one);
    for (const one of whole) this.#reasons.delete(keyOf(one.table));
    this.#numbers = new Set([...this.#whole.values()].flatMap(({ table }) => table.spaces.map(numberOf)));
  }

  /** What was read under this name, of a table without numbers, is in the backup no longer. */
  drop(table: Pick<TableEntry, 'database' | 'name'>): void {
    this.#whole.delete(keyOf(table));
  }

  /** Whether this very table is in the backup, under whatever name. */
  holds(table: TableEntry): boolean {
    if (table.spaces.length === 0) return this.#whole.has(keyOf(table));
    return table.spaces.every((space) => this.#numbers.has(numberOf(space)));
  }

  /** What is wanted and not in the backup, each under the name that it had when it was seen first, and why. */
  open(): Unread[] {
    const open = [...this.#wanted].filter(([id, one]) => !isCovered(id, one, this)).map(([, { entry }]) => entry);
    return [...new Set(open)].map((one) => ({
      ...one,
      ...(this.#reasons.get(keyOf(one)) ?? reasonOf(one, this, this.#unlisted)),
    }));
  }

  #numberSequences(database: string, names: readonly string[], { entries }: Census): void {
    for (const name of names) {
      const spaces = entries.get(keyOf({ database, name }))?.spaces ?? [];
      for (const space of spaces) this.sequences.set(numberOf(space), objectKey('sequence', database, name));
    }
  }
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
