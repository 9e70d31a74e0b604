import type { BlobIndex } from '../blob-index.ts';
import { blobKey } from '../blob-index.ts';
import { Numbers } from '../numbers.ts';
import type { TreeRefs } from '../walk/tree-refs.ts';

/**
 * How large the files in and below trees are, each time that they are there. Memory: four bytes a blob of the index, some
 * twenty a tree, and four for each time that a tree names another.
 */
export class TreeSizes {
  readonly #index: BlobIndex;
  /** By place; 0 where no tree was added. */
  readonly #numbers: Uint32Array;
  /** By number: of the files in the tree itself, and of all below it once that is known. */
  readonly #sizes: number[] = [0];
  readonly #isDone: boolean[] = [true];
  /** By number: where the places of its folders begin, and the next one's. */
  readonly #starts = new Numbers();
  readonly #folders = new Numbers();

  constructor(index: BlobIndex) {
    this.#index = index;
    this.#numbers = new Uint32Array(index.count);
    this.#starts.push(0, 0);
  }

  /** As a walk has read it; may be called again for the same tree. What it names and the index lacks counts as nothing. */
  add(tree: number, { contents, subtrees }: TreeRefs): void {
    if (this.#numbers[tree] !== 0) return;
    let sizeBytes = 0;
    for (let at = 0; at < contents.count; at++) {
      const place = this.#index.placeOf(contents.at(at));
      if (place !== undefined) sizeBytes += this.#index.plainLengthOf(place);
    }
    for (let at = 0; at < subtrees.count; at++) {
      const place = this.#index.placeOf(blobKey('tree', subtrees.at(at)));
      if (place !== undefined) this.#folders.push(place);
    }
    this.#numbers[tree] = this.#sizes.push(sizeBytes) - 1;
    this.#isDone.push(false);
    this.#starts.push(this.#folders.length);
  }

  /** Of a tree and all below it, after all of them were added. */
  sizeOf(tree: number): number {
    const stack = [this.#numbers[tree]!];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (this.#isDone[top] || this.#pushOpen(top, stack) === 0) this.#finish(stack.pop()!);
    }
    return this.#sizes[this.#numbers[tree]!]!;
  }

  /** Those below that are not done yet. Gives how many. */
  #pushOpen(number: number, stack: number[]): number {
    const before = stack.length;
    for (const below of this.#below(number)) if (!this.#isDone[below]) stack.push(below);
    return stack.length - before;
  }

  #finish(number: number): void {
    if (this.#isDone[number]) return;
    this.#isDone[number] = true;
    for (const below of this.#below(number)) this.#sizes[number]! += this.#sizes[below]!;
  }

  *#below(number: number): Generator<number> {
    for (let at = this.#starts.at(number); at < this.#starts.at(number + 1); at++) {
      yield this.#numbers[this.#folders.at(at)]!;
    }
  }
}
