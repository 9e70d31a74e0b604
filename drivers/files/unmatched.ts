import { type PathPatterns, pathPatterns } from './pattern.ts';

/** Those of some patterns that match nothing of what was seen. */
export class UnmatchedPatterns {
  readonly #left: Map<string, PathPatterns>;

  constructor(patterns: readonly string[]) {
    this.#left = new Map(patterns.map((text) => [text, pathPatterns([text])]));
  }

  get isEmpty(): boolean {
    return this.#left.size === 0;
  }

  get texts(): readonly string[] {
    return [...this.#left.keys()];
  }

  /** `path` is absolute. */
  see(path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1);
    for (const [text, pattern] of this.#left) if (pattern.matches(path, name)) this.#left.delete(text);
  }
}
