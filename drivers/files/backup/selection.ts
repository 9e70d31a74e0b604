import { type PathPatterns, pathPatterns } from '../pattern.ts';
import type { ScanSetup } from './scan-task.ts';
import { select } from './select-entry.ts';

type Folder = { readonly type: 'dir'; readonly deviceId: bigint };
const aFolder = (): Folder => ({ type: 'dir', deviceId: 0n });

/** What a walk from a path of the source comes to. Of one path at a time: the scan threads know it of a folder as they go. */
export class Selection {
  readonly #patterns: { readonly exclude: PathPatterns; readonly include?: PathPatterns };

  constructor({ exclude, include }: Pick<ScanSetup, 'exclude' | 'include'>) {
    const included = include.length > 0 ? pathPatterns(include) : undefined;
    this.#patterns = { exclude: pathPatterns(exclude), include: included };
  }

  /** Whether the folder `path`, at or below the path `source` of the source, is gone into. */
  enters(source: string, path: string): boolean {
    let around: { readonly included: boolean } = { included: false };
    for (const step of wayTo(path)) {
      const only = step.length > source.length ? undefined : [];
      const selected = select<Folder>(this.#patterns, { included: around.included, only }, step, nameOf(step), aFolder);
      if (!selected) return false;
      around = selected;
    }
    return true;
  }

  /** Whether no `include` is set, or one matches this path or a folder above it. */
  includes(path: string): boolean {
    const { include } = this.#patterns;
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
