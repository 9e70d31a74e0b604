import { firstOf } from '../../../core/first-of.ts';
import type { RowFile, TableFacts } from '../format/contents.ts';
import type { Failure } from './failure.ts';
import type { TableState } from './ledger.ts';
import type { LoadResult } from './load-thread.ts';
import type { Damage } from './whole-rows.ts';

/** How far the loading of one table is, and what keeps it from being whole. */
export class TableProgress {
  readonly facts: TableFacts;
  readonly name: string;
  state: TableState = 'not begun';
  readonly failures: Failure[] = [];
  rowsLoaded = 0;
  /** The server warned while it took rows, so they may not be what they were. */
  isDoubtful = false;
  readonly #inspected = new Map<RowFile, Damage | undefined>();
  readonly #lost = new Set<RowFile>();
  #filesLeft: number;

  constructor(facts: TableFacts) {
    this.facts = facts;
    this.name = `${facts.database}.${facts.name}`;
    this.#filesLeft = facts.files.length;
  }

  get isDamaged(): boolean {
    return this.failures.some(({ why }) => why === 'damaged');
  }

  get isWhole(): boolean {
    return this.#filesLeft === 0 && this.failures.length === 0;
  }

  /** A file of which nothing can be read. */
  lose(file: RowFile, failure: Failure): void {
    if (!this.#lost.has(file)) this.failures.push(failure);
    this.#lost.add(file);
  }

  hasLost(file: RowFile): boolean {
    return this.#lost.has(file);
  }

  found(file: RowFile, damage: Damage | undefined): void {
    this.#inspected.set(file, damage);
    for (const detail of damage?.words ?? []) this.failures.push({ why: 'damaged', detail });
  }

  wasInspected(file: RowFile): boolean {
    return this.#inspected.has(file);
  }

  damageIn(file: RowFile): Damage | undefined {
    return this.#inspected.get(file);
  }

  /** What came of a file that a thread loaded or looked at. */
  took(file: RowFile, { failure, damage, rows }: LoadResult): void {
    this.rowsLoaded += rows ?? 0;
    if (damage !== undefined) this.found(file, damage);
    else if (failure !== undefined) this.failures.push(failure);
    else if (rows !== undefined) this.#filesLeft--;
  }

  /** All that is known of why it is not whole. */
  failure(): Failure {
    const why = this.isDamaged ? 'damaged' : 'refused';
    const details = [...new Set(this.failures.map(({ detail }) => detail))];
    return { why, detail: firstOf(details, listed, '; ') };
  }
}

/** A table of some terabytes may have lost thousands of blobs. */
const listed = 20;
