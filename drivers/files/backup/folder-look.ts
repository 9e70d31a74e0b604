import { systemClock } from '../../../core/clock.ts';
import { workingFolder } from '../system/native.ts';
import type { FileStat } from '../system/stat.ts';
import { listFolder, openFolder, problemOf, stampOf } from './folder-listing.ts';
import type { ScanTools } from './folder-scanner.ts';
import { joinPath } from './node-reader.ts';
import {
  type LookEntry,
  type LookResult,
  type LookTask,
  type ScanProblem,
  type StampTask,
  stampFields,
} from './scan-task.ts';
import { select } from './select-entry.ts';

/** A second look at one folder, which has changed since it was listed. Reads no file. */
export class FolderLook {
  readonly #tools: ScanTools;
  readonly #task: LookTask;
  readonly #entries: LookEntry[] = [];
  readonly #problems: ScanProblem[] = [];

  constructor(tools: ScanTools, task: LookTask) {
    this.#tools = tools;
    this.#task = task;
  }

  run(): LookResult {
    const folder = this.#attempt(this.#task.path, () => openFolder(this.#tools.native, this.#task.path));
    if (folder === undefined) return this.#result(undefined);
    try {
      const stat = this.#tools.native.stat(folder, '');
      const self = this.#entryOf(this.#task.path, folder, '', stat, this.#task.included);
      const names =
        this.#task.only ?? this.#attempt(this.#task.path, () => listFolder(this.#tools.native, folder)) ?? [];
      for (const name of names) this.#attempt(joinPath(this.#task.path, name), () => this.#look(folder, name));
      return this.#result({ ...self, stamp: stampOf(stat) });
    } finally {
      this.#tools.native.close(folder);
    }
  }

  #look(folder: number, name: string): void {
    const path = joinPath(this.#task.path, name);
    const selected = select(this.#tools, this.#task, path, name, () => this.#tools.native.stat(folder, name));
    if (selected === undefined || selected.isElsewhere) return;
    const { stat, included } = selected;
    if (!this.#isMissing(stat, included)) return;
    this.#entries.push(this.#entryOf(path, folder, name, stat, included));
  }

  /** As far as this thread knows; a folder may hold what is. */
  #isMissing(stat: FileStat, included: boolean): boolean {
    if (stat.type === 'dir') return true;
    return included && !this.#tools.known.has(this.#tools.known.key(stat));
  }

  #entryOf(path: string, folder: number, name: string, stat: FileStat, included: boolean): LookEntry {
    const bornNs = this.#tools.native.birth(folder, name);
    const isOld = bornNs === undefined ? this.#mayBeOld(stat) : bornNs < this.#task.startedNs;
    return { path, isFolder: stat.type === 'dir', included, isOld, key: this.#tools.known.key(stat) };
  }

  /** No change is made in the future: such an mtime was set, and may have been set long ago. */
  #mayBeOld({ mtimeNs }: FileStat): boolean {
    return mtimeNs < this.#task.startedNs || mtimeNs > BigInt(systemClock.now().getTime() + 1) * 1_000_000n;
  }

  /** What is gone again needs no second look. */
  #attempt<T>(path: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const problem = problemOf(error, path);
      if (problem.kind !== 'vanished') this.#problems.push(problem);
      return undefined;
    }
  }

  #result(folder: LookResult['folder']): LookResult {
    return { folder, entries: this.#entries, problems: this.#problems };
  }
}

/** Cheap: most folders of a backup have not changed while it ran. */
export function stamps({ native }: ScanTools, { paths }: StampTask): BigInt64Array {
  const result = new BigInt64Array(paths.length * stampFields);
  for (const [at, path] of paths.entries()) {
    try {
      const { deviceId, inode, ctimeNs, mtimeNs } = native.stat(workingFolder, path);
      result.set([deviceId, inode, ctimeNs, mtimeNs], at * stampFields);
    } catch {} // to be told by the look at it
  }
  return result;
}
