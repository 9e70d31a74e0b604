import type { NotRestored } from '../../../core/driver/index.ts';
import { firstOf } from '../../../core/first-of.ts';
import type { DatabaseFacts, ObjectFacts, TableFacts, UnknownFacts } from '../format/contents.ts';
import type { Failure } from './failure.ts';

/** What is in the target by now: which tables, how far, and what will not be there and why. */
export class LoadLedger {
  /** Nothing was changed yet. */
  isUntouched = true;
  readonly notRestored: NotRestored[] = [];
  readonly warnings: string[] = [];
  readonly #states: Map<TableFacts, TableState>;
  readonly #replaced = new Set<Item>();
  /** `shop.orders` to `table shop.orders`, for what needs it. */
  readonly #lost = new Map<string, string>();

  /** Where in `warnings` the line stands, and of what. */
  readonly #said = new Map<string, { readonly at: number; readonly names: string[] }>();
  /** Routines, views and all else beside the tables and their rows. */
  readonly #objects: { readonly total: number; made: number };
  /** Names of what was begun neither with success nor without. */
  readonly #open: Set<string>;

  /** `objects` are the things beside the tables there are to make; the triggers of a table are one. */
  constructor(tables: readonly TableFacts[], objects: readonly Item[]) {
    this.#objects = { total: objects.length, made: 0 };
    this.#open = new Set([...tables, ...objects].map(itemName));
    this.#states = new Map(tables.map((table) => [table, 'not begun']));
  }

  set(table: TableFacts, state: TableState): void {
    this.#states.set(table, state);
    if (state === 'whole') this.#open.delete(itemName(table));
  }

  tables(...states: TableState[]): TableFacts[] {
    return [...this.#states].filter(([, state]) => states.includes(state)).map(([table]) => table);
  }

  /** What was there in the place of this is dropped. */
  replaced(item: Item): void {
    this.#replaced.add(item);
  }

  /** One thing beside the tables is there. */
  made(item: Item): void {
    this.#objects.made++;
    this.#open.delete(itemName(item));
  }

  /** What the server said of this; the same of several things of a kind is one line. */
  warn(item: Item, words: string): void {
    const key = `${item.kind}: ${words}`;
    const said = this.#said.get(key) ?? { at: this.warnings.length, names: [] };
    this.#said.set(key, said);
    said.names.push(qualified(item));
    this.warnings[said.at] = `${item.kind} ${firstOf(said.names, listed)}: ${words}`;
  }

  /** A refusal whose words name something that is not there either, is for want of that. */
  fail(item: Item, failure: Failure): void {
    const needed = failure.why === 'refused' ? this.#neededBy(failure.detail) : undefined;
    const why = needed === undefined ? failure.why : 'skipped';
    const detail = needed === undefined ? failure.detail : needs(needed, failure.detail);
    const name = itemName(item);
    this.#open.delete(name);
    const gone = this.#replaced.has(item) ? '; what was there before is dropped' : '';
    this.notRestored.push({ item: name, why, detail: `${detail}${gone}` });
    if (!item.kind.startsWith('trigger')) this.#lost.set(qualified(item), name);
  }

  /** What was asked for with this pattern is not in the backup. */
  miss(pattern: string): void {
    this.notRestored.push({ item: pattern, why: 'absent', detail: 'nothing in the backup matches this pattern' });
  }

  /** What this version cannot make. */
  unknown({ kind, database, name }: UnknownFacts): void {
    const item = [kind, [database, name].filter((part) => part !== undefined).join('.')].join(' ').trim();
    const detail = `this version of tidemark does not know what a ${kind} is: restore it with the version that made the backup`;
    this.notRestored.push({ item, why: 'skipped', detail });
  }

  /** At the end: what is neither whole nor named is named, so that nothing is missing without a word. */
  addUp(): void {
    for (const item of this.#open) {
      this.notRestored.push({ item, why: 'skipped', detail: 'it was left out, by a defect of tidemark' });
    }
  }

  /** What of these names is not restored, as `table shop.orders`. */
  lost(...names: string[]): string | undefined {
    return names.map((name) => this.#lost.get(name)).find((name) => name !== undefined);
  }

  #neededBy(words: string): string | undefined {
    const quoted = [...words.matchAll(/'([^']+)'/g)].map(([, name]) => name!);
    const [, plain = ''] = /(\S+) does not exist/.exec(words) ?? [];
    return this.lost(...quoted, plain);
  }

  /** For the error of a restore that ended halfway. */
  describe(): string {
    const whole = this.tables('whole');
    const parts = [
      `${whole.length} of ${this.#states.size} tables are whole in the target${listOf(whole)}`,
      ...this.#count('half loaded', 'half loaded and still there'),
      ...this.#count('dropped', 'half loaded and dropped again'),
      ...this.#count('not begun', 'not begun'),
      ...(this.#objects.total === 0 ? [] : [this.#objectsText()]),
      ...(this.notRestored.length === 0 ? [] : [`not restored: ${shortList(this.notRestored)}`]),
    ];
    return parts.join('; ');
  }

  #objectsText(): string {
    const { made, total } = this.#objects;
    return `${made} of ${total} views, routines, sequences, events and sets of triggers are there`;
  }

  #count(state: TableState, words: string): string[] {
    const tables = this.tables(state);
    return tables.length === 0 ? [] : [`${tables.length} ${words}${listOf(tables)}`];
  }
}

/** `dropped`: it was half loaded. `damaged`: it stays without what is damaged, as was asked. */
export type TableState = 'not begun' | 'half loaded' | 'whole' | 'damaged' | 'dropped' | 'refused';

export type Item =
  | Pick<TableFacts | ObjectFacts, 'kind' | 'database' | 'name'>
  | Pick<DatabaseFacts, 'kind' | 'database'>
  | { readonly kind: 'trigger' | 'triggers of table'; readonly database: string; readonly name: string };

function qualified(item: Item): string {
  return 'name' in item ? `${item.database}.${item.name}` : item.database;
}

/** `view shop.totals`, as lists of what was not restored say it. */
export function itemName(item: Item): string {
  return `${item.kind} ${qualified(item)}`;
}

export function needs(item: string, words = ''): string {
  return `needs ${item}, which is not restored${words === '' ? '' : `: ${words}`}`;
}

function listOf(tables: readonly TableFacts[]): string {
  if (tables.length === 0) return '';
  const names = tables.map((one) => `${one.database}.${one.name}`);
  return ` (${firstOf(names, listed)})`;
}

function shortList(lost: readonly NotRestored[]): string {
  const texts = lost.map(({ item, why, detail }) => `${item} (${why}: ${detail})`);
  return firstOf(texts, listed);
}

/** A person at night must not have to guess which; thousands would hide the rest of the message. */
const listed = 20;
