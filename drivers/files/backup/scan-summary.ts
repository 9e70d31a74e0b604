import type { BackupFacts } from '../../../core/driver/index.ts';
import { isAtOrBelow } from '../system/mount.ts';
import type { ScanProblem, ScanReport } from './scan-task.ts';
import type { FoundPaths, SourcePath } from './source-paths.ts';

/** One entry of the manifest's `contents`. */
export interface PathTotals {
  readonly path: string;
  files: number;
  folders: number;
  others: number;
  bytes: number;
  unchanged: number;
  /** It held something in an earlier backup, and nothing in any since. */
  emptied?: true;
  /** Where file systems were mounted, at or below the path, that the backup went into. */
  mounts?: readonly string[];
  /** Those of an earlier backup that are empty folders, or cannot be seen, in all since. */
  unmounted?: readonly string[];
}

/** A path of the source that holds nothing, or is no folder; what a damaged parent held nobody knows, so it may have been much. */
export interface Emptied {
  readonly source: SourcePath;
  readonly before: 'something' | 'unknown';
}

/** Of a mount point of an earlier backup. */
export interface Unmounted extends Emptied {
  readonly point: string;
  /** What is above it is emptied or unmounted, too. */
  readonly hidden: boolean;
}

const shownProblems = 100;
const emptiedTexts: Readonly<Record<Emptied['before'], string>> = {
  something: 'did in an earlier backup',
  unknown: 'what it held in the backup before is damaged',
};
const mayBeEmpty = 'or set `mayBeEmpty: true` on the source where that is meant';
const emptiedAdvice = `mount what belongs there and back up again, ${mayBeEmpty}`;
const replacedAdvice = `add the path to which it moved, ${mayBeEmpty}`;
const prefixes: Readonly<Record<ScanProblem['kind'], string>> = {
  unreadable: 'cannot be read: ',
  vanished: 'cannot be read: ',
  missing: 'is not in this backup: ',
  torn: '',
  changed: '',
};

/** Adds up what the scan threads report. */
export class ScanSummary {
  readonly #paths: Map<SourcePath, PathTotals>;
  /** All that was seen below a path of the source, selected or not. */
  readonly #listed = new Map<SourcePath, number>();
  readonly #shown: string[] = [];
  /** A folder that cannot be read is met again by the second look. A file that only changed may turn out to be missing. */
  readonly #named = new Set<string>();
  readonly #counts = { unreadable: 0, torn: 0, changed: 0 };
  /** What was deleted after it had been listed, as it seems. */
  readonly vanished = new Set<string>();
  #unmatched: readonly string[];

  constructor(paths: FoundPaths, include: readonly string[]) {
    this.#unmatched = include;
    this.#paths = new Map(paths.found.map((source) => [source, emptyTotals(source)]));
    for (const { path, reason } of paths.missing) this.problem({ kind: 'unreadable', path, reason });
    for (const { path, isSymlink } of paths.found) {
      if (isSymlink) this.#shown.push(`${path} is a symbolic link: the link is backed up, not what it points to`);
    }
  }

  /** `source` is absent for the folders above the paths of the source: their entries are none of its contents. */
  add(source: SourcePath | undefined, report: ScanReport): void {
    for (const problem of report.problems) this.problem(problem);
    const totals = source && this.#paths.get(source);
    if (!totals) return;
    this.#listed.set(source, (this.#listed.get(source) ?? 0) + report.listed);
    totals.files += report.files;
    totals.folders += report.folders;
    totals.others += report.others;
    totals.bytes += report.bytes;
    totals.unchanged += report.unchanged;
  }

  /** Of the patterns of `include`, those that one thread has seen nothing of. */
  stillUnmatched(patterns: readonly string[]): void {
    this.#unmatched = this.#unmatched.filter((one) => patterns.includes(one));
  }

  warn(text: string): void {
    this.#shown.push(text);
  }

  get facts(): Pick<BackupFacts, 'totals' | 'contents' | 'warnings' | 'partial'> {
    const contents = [...this.#paths.values()];
    const sum = (key: 'files' | 'folders' | 'others' | 'bytes' | 'unchanged') =>
      contents.reduce((total, one) => total + one[key], 0);
    return {
      totals: {
        items: sum('files') + sum('others'), // as a restore counts them: folders are where things lie
        bytes: sum('bytes'),
        unchangedItems: sum('unchanged'),
      },
      contents: contents.map((one) => ({ ...one })),
      warnings: this.#warnings(),
      partial: this.#isPartial,
    };
  }

  get #isPartial(): boolean {
    const { unreadable, torn } = this.#counts;
    return unreadable + torn + this.#unmatched.length > 0 || this.#isEmptied;
  }

  get #isEmptied(): boolean {
    return [...this.#paths.values()].some((one) => one.emptied || one.unmounted);
  }

  mounted(source: SourcePath, point: string): void {
    const totals = this.#paths.get(source)!;
    totals.mounts = [...new Set([...(totals.mounts ?? []), point])];
  }

  unmounted({ source, point, before, hidden }: Unmounted): void {
    const totals = this.#paths.get(source)!;
    totals.unmounted = [...(totals.unmounted ?? []), point];
    if (!hidden && !this.#named.has(point)) this.#shown.push(`${point} ${holdsNothing(before)}`);
  }

  /** Of a path of the source that is missing, holds nothing, or is no folder, although a backup before it did, or may have. */
  emptied({ source, before }: Emptied): void {
    const isMissing = !this.#paths.has(source);
    if (isMissing) this.#paths.set(source, emptyTotals(source));
    this.#paths.get(source)!.emptied = true;
    if (!isMissing && !this.#named.has(source.path))
      this.#shown.push(`${source.path} ${source.isFolder ? holdsNothing(before) : isNoFolder(source)}`);
  }

  /** Whether nothing but folders that were gone into is below this path: what the patterns leave out is something. */
  isEmpty(source: SourcePath): boolean {
    const listed = this.#listed.get(source) ?? 0;
    return !source.isFolder || listed === this.#paths.get(source)!.folders;
  }

  problem({ kind, path, reason }: ScanProblem): void {
    if (kind === 'vanished' && !this.#isAsked(path)) {
      this.vanished.add(path);
      return;
    }
    if (kind === 'unreadable' || kind === 'vanished') this.#uncount(path);
    this.vanished.delete(path);
    if (this.#named.has(path)) return;
    this.#counts[kind === 'changed' || kind === 'torn' ? kind : 'unreadable'] += 1;
    if (this.#shown.length >= shownProblems) return;
    this.#shown.push(`${path} ${prefixes[kind]}${reason}`);
    if (kind !== 'changed') this.#named.add(path);
  }

  /** A file that is a path of the source counts from the start. */
  #uncount(path: string): void {
    for (const [source, totals] of this.#paths)
      if (source.path === path && !source.isFolder) Object.assign(totals, { files: 0, bytes: 0 });
  }

  /** A path of the source, or a folder above one: that it is gone is never in order. */
  #isAsked(path: string): boolean {
    return [...this.#paths.keys()].some((source) => isAtOrBelow(source.path, path));
  }

  #warnings(): string[] {
    const { unreadable, torn } = this.#counts;
    const changed = this.#counts.changed + torn;
    const warnings = [...this.#shown];
    if (unreadable + changed > shownProblems) {
      warnings.push(`in all, ${unreadable} paths could not be read and ${changed} files changed while they were read`);
    }
    const { size } = this.vanished;
    if (size > 0) warnings.push(`${pathsWere(size)} deleted after ${size === 1 ? 'it' : 'they'} had been listed`);
    for (const pattern of this.#unmatched) warnings.push(`nothing matches include ${pattern}`);
    return warnings;
  }
}

function holdsNothing(before: Emptied['before']): string {
  return `holds nothing to back up, and ${emptiedTexts[before]}: ${emptiedAdvice}`;
}

function isNoFolder({ isSymlink, isFile, sizeBytes }: SourcePath): string {
  const file = sizeBytes === 0 ? 'an empty file' : 'a file';
  const found = isSymlink ? 'a symbolic link' : isFile ? file : 'neither a folder nor a file';
  return `is ${found}, and was a folder that held something in an earlier backup: ${replacedAdvice}`;
}

function pathsWere(count: number): string {
  return count === 1 ? '1 path was' : `${count} paths were`;
}

function emptyTotals(source: SourcePath): PathTotals {
  const files = source.isFolder ? 0 : 1;
  return { path: source.path, files, folders: 0, others: 0, bytes: source.sizeBytes, unchanged: 0 };
}
