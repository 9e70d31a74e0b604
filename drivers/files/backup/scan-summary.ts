import type { BackupFacts } from '../../../core/driver/index.ts';
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
}

const shownProblems = 100;

/** Adds up what the scan threads report. */
export class ScanSummary {
  readonly #paths: Map<SourcePath, PathTotals>;
  readonly #shown: string[] = [];
  readonly #counts = { unreadable: 0, changed: 0, vanished: 0 };

  constructor(paths: FoundPaths) {
    this.#paths = new Map(paths.found.map((source) => [source, emptyTotals(source)]));
    for (const { path, reason } of paths.missing) this.#problem({ kind: 'unreadable', path, reason });
    for (const { path, isSymlink } of paths.found) {
      if (isSymlink) this.#shown.push(`${path} is a symbolic link: the link is backed up, not what it points to`);
    }
  }

  /** `source` is absent for the folders above the paths of the source: their entries are none of its contents. */
  add(source: SourcePath | undefined, report: ScanReport): void {
    for (const problem of report.problems) this.#problem(problem);
    const totals = source && this.#paths.get(source);
    if (!totals) return;
    totals.files += report.files;
    totals.folders += report.folders;
    totals.others += report.others;
    totals.bytes += report.bytes;
    totals.unchanged += report.unchanged;
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
      partial: this.#counts.unreadable > 0,
    };
  }

  #problem(problem: ScanProblem): void {
    this.#counts[problem.kind] += 1;
    if (problem.kind === 'vanished' || this.#shown.length >= shownProblems) return;
    const verb = problem.kind === 'unreadable' ? 'cannot be read: ' : '';
    this.#shown.push(`${problem.path} ${verb}${problem.reason}`);
  }

  #warnings(): string[] {
    const { unreadable, changed, vanished } = this.#counts;
    const warnings = [...this.#shown];
    if (unreadable + changed > shownProblems) {
      warnings.push(`in all, ${unreadable} paths could not be read and ${changed} files changed while they were read`);
    }
    if (vanished > 0) warnings.push(`${vanished} paths were deleted after they had been listed`);
    return warnings;
  }
}

function emptyTotals(source: SourcePath): PathTotals {
  const files = source.isFolder ? 0 : 1;
  return { path: source.path, files, folders: 0, others: 0, bytes: source.sizeBytes, unchanged: 0 };
}
