import { type PathPatterns, pathPatterns } from '../pattern.ts';
import type { ScanSetup } from './scan-task.ts';

/** What a walk from a path of the source comes to. Of one path at a time: the scan threads know it of a folder as they go. */
export class Selection {
  readonly #exclude: PathPatterns;
  readonly #include: PathPatterns | undefined;

  constructor({ exclude, include }: Pick<ScanSetup, 'exclude' | 'include'>) {
    this.#exclude = pathPatterns(exclude);
    this.#include = include.length > 0 ? pathPatterns(include) : undefined;
  }

  /** Whether the folder `path`, at or below the path `source` of the source, is gone into. */
  enters(source: string, path: string): boolean {
    const below = wayTo(path).filter((step) => step.length > source.length);
    if (below.some((step) => this.#exclude.matches(step, nameOf(step)))) return false;
    return this.includes(path) || this.#include!.mayMatchBelow(path);
  }

  /** Whether no `include` is set, or one matches this path or a folder above it. */
  includes(path: string): boolean {
    const include = this.#include;
    return !include || wayTo(path).some((step) => include.matches(step, nameOf(step)));
  }
}

/** `/a`, `/a/b`, … */
function wayTo(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
