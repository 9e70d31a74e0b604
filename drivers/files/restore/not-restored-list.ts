import type { NotRestored } from '../../../core/driver/index.ts';

const mostListed = 10_000;
/** Paths may be long: so much text fits into memory, a message between processes and a row of the catalog. */
const mostCharacters = 4 * 1024 * 1024;

/** What a restore could not bring back whole: the first by name, the rest by number. */
export class NotRestoredList {
  readonly listed: NotRestored[] = [];
  notListed = 0;
  #characters = 0;

  get count(): number {
    return this.listed.length + this.notListed;
  }

  /** `path` is relative to the root of the backup. */
  add(path: string, why: NotRestored['why'], detail: string): void {
    this.#add({ item: `/${path}`, why, detail });
  }

  /** What was asked for with this pattern is not in the backup. */
  addPattern(pattern: string): void {
    this.#add({ item: pattern, why: 'absent', detail: 'nothing in the backup matches this pattern' });
  }

  #add(one: NotRestored): void {
    this.#characters += one.item.length + one.detail.length;
    if (this.listed.length < mostListed && this.#characters <= mostCharacters) {
      this.listed.push(one);
    } else {
      this.notListed += 1;
    }
  }
}
