import type { DamagedFile } from '../driver/index.ts';

const namedBlobs = 3;

/** What is wrong with which files of a scatter. Of a file with much damage the first parts are named and the rest counted. */
export class ScatterDamage {
  readonly #files = new Map<number, { texts: string[]; more: number }>();
  readonly #marks: Int32Array;

  /** `marks`: a word per file in shared memory, set when the file is damaged. */
  constructor(marks: Int32Array) {
    this.#marks = marks;
  }

  add(file: number, text: string): void {
    Atomics.store(this.#marks, file, 1);
    const known = this.#files.get(file);
    if (known === undefined) this.#files.set(file, { texts: [text], more: 0 });
    else if (known.texts.length < namedBlobs) {
      if (!known.texts.includes(text)) known.texts.push(text);
    } else known.more += 1;
  }

  files(): DamagedFile[] {
    return [...this.#files].map(([file, { texts, more }]) => ({
      file,
      detail: more === 0 ? texts.join('; ') : `${texts.join('; ')}; and ${more} more`,
    }));
  }
}
