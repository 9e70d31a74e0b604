import { lstat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { DataThreads } from '../../../core/driver/index.ts';
import { encodeName } from '../../../core/path-bytes.ts';
import { isAtOrBelow } from '../system/mount.ts';
import { problemOf, remounted } from './folder-listing.ts';
import type { LookEntry, LookResult, ScanProblem, ScanResult, ScanTask } from './scan-task.ts';
import { stampFields } from './scan-task.ts';
import type { Selection } from './selection.ts';
import type { SourcePath } from './source-paths.ts';
import type { WalkedFolder, WalkedFolders } from './walked-folders.ts';

export interface SecondLookOptions {
  readonly threads: DataThreads<ScanTask, ScanResult>;
  readonly signal: AbortSignal;
  readonly walked: WalkedFolders;
  readonly selection: Selection;
  readonly oneFileSystem: boolean;
  readonly startedAt: Date;
  /** What was gone when it was to be read. */
  readonly vanished: ReadonlySet<string>;
}

/** A folder to be listed once more; `at` says which of the walk it is. */
interface Look extends WalkedFolder {
  readonly at?: number;
  readonly only?: readonly string[];
}

/** Of a folder that is listed once more. */
interface Candidate extends LookEntry {
  readonly source: SourcePath;
}

const stampsAtOnce = 500;
const looksAtOnce = 100;
const movedHere = 'it was moved here while the backup ran';

/**
 * What a walk misses because the tree moves meanwhile. A folder that has changed since it was listed is listed again:
 * what is in it, was there before the backup began, and was read under no name, was moved from where the walk had not been
 * to where it had. Renamed, linked, deleted and new files are none of that. And the file systems that were unmounted or
 * mounted, which looks as if all in them had been deleted.
 */
export class SecondLook {
  readonly #options: SecondLookOptions;
  readonly #problems = new Map<string, ScanProblem>();
  readonly #remounted = new Set<number>();
  #walkedPaths: ReadonlySet<string> = new Set();

  constructor(options: SecondLookOptions) {
    this.#options = options;
  }

  async run(sources: readonly SourcePath[]): Promise<readonly ScanProblem[]> {
    for (const source of sources) await this.#source(source);
    await this.#lookAt(sources.filter(({ isFolder }) => !isFolder).map((source) => this.#fileOf(source)));
    for (const path of this.#options.vanished) {
      this.#options.signal.throwIfAborted();
      if ((await this.#deviceOf(path)) !== undefined)
        this.#problem(path, 'it was being replaced by another when it was to be read');
    }
    const changed = await this.#changed();
    this.#walkedPaths = this.#options.walked.pathsIn(new Set(changed));
    await this.#lookAt(changed.map((at) => ({ ...this.#options.walked.get(at), at })));
    return [...this.#problems.values()];
  }

  async #source({ path, isFolder, deviceId }: SourcePath): Promise<void> {
    const now = isFolder ? await this.#deviceOf(path, '/') : undefined;
    if (now !== undefined && now !== deviceId) this.#problem(path, remounted);
  }

  /** A path of the source that is no folder, in its own. */
  #fileOf(source: SourcePath): Look {
    const path = dirname(source.path);
    return { path, only: [basename(source.path)], included: this.#options.selection.includes(path), source };
  }

  /** Undefined where nothing is, and where nobody can see what is, which is a problem of that path. */
  async #deviceOf(path: string, suffix: '' | '/' = ''): Promise<bigint | undefined> {
    try {
      return (await lstat(encodeName(`${path}${suffix}`), { bigint: true })).dev;
    } catch (error) {
      const { kind, reason } = problemOf(error, path);
      if (kind !== 'vanished') this.#problem(path, reason);
      return undefined;
    }
  }

  /** The folders that are not, or may not be, as they were when they were listed. */
  async #changed(): Promise<number[]> {
    const { walked, threads } = this.#options;
    const changed: number[] = [];
    let next = 0;
    const work = async () => {
      while (next < walked.count) {
        this.#options.signal.throwIfAborted();
        const start = next;
        next = Math.min(walked.count, start + stampsAtOnce);
        const numbers = Array.from({ length: next - start }, (_, at) => start + at);
        const paths = numbers.map((at) => walked.path(at));
        const stamps = (await threads.run({ kind: 'stamps', paths })) as BigInt64Array;
        for (const at of numbers) if (!this.#isSame(at, stamps.subarray((at - start) * stampFields))) changed.push(at);
      }
    };
    await Promise.all(Array.from({ length: threads.count + 1 }, work));
    return changed.sort((a, b) => a - b);
  }

  #isSame(at: number, now: BigInt64Array): boolean {
    return this.#options.walked.stamp(at).every((value, field) => value === now[field]);
  }

  /** Goes into the folders, too, that came from elsewhere. */
  async #lookAt(folders: readonly Look[]): Promise<void> {
    for (let start = 0; start < folders.length; start += looksAtOnce) {
      const some = folders.slice(start, start + looksAtOnce);
      const results = await Promise.all(some.map((folder) => this.#look(folder)));
      const candidates = some.flatMap((folder, at) => this.#candidates(folder, results[at]!));
      await this.#lookAt(await this.#missing(candidates));
    }
  }

  async #look({ path, only, included, source }: Look): Promise<LookResult> {
    this.#options.signal.throwIfAborted();
    const onlyDevice = this.#options.oneFileSystem ? source.deviceId : undefined;
    const startedNs = BigInt(this.#options.startedAt.getTime()) * 1_000_000n;
    return (await this.#options.threads.run({
      kind: 'look',
      path,
      only,
      included,
      onlyDevice,
      startedNs,
    })) as LookResult;
  }

  /** What of a folder may be missing: of one that came from elsewhere, everything. */
  #candidates(look: Look, { folder, entries, problems }: LookResult): Candidate[] {
    for (const problem of problems) this.#problems.set(problem.path, problem);
    if (!folder) this.#gone(look);
    const all = folder && look.at !== undefined ? this.#ofWalked(look.at, look.path, folder, entries) : entries;
    return all.map((entry) => ({ ...entry, source: look.source }));
  }

  /** Of a folder that the walk listed: where another stands there now, that one. */
  #ofWalked(at: number, path: string, now: NonNullable<LookResult['folder']>, entries: readonly LookEntry[]) {
    const [deviceId, inode] = this.#options.walked.stamp(at);
    if (now.stamp[0] !== deviceId) {
      this.#mounted(at, path);
      return [];
    }
    return now.stamp[1] === inode ? entries.filter((entry) => !this.#walkedPaths.has(entry.path)) : [now];
  }

  /** Deleted, as it seems: no folder is missed in the folder that it was in. A path of the source is missed by who asked. */
  #gone({ at, path }: Look): void {
    if (at === undefined || this.#options.walked.parent(at) !== undefined) return;
    if ([...this.#options.vanished].some((one) => isAtOrBelow(one, path)))
      this.#problem(path, 'it was moved away or deleted while it was read');
  }

  /** Names the topmost folder of the file system. */
  #mounted(at: number, path: string): void {
    const parent = this.#options.walked.parent(at);
    this.#remounted.add(at);
    if (parent === undefined || !this.#remounted.has(parent)) this.#problem(path, remounted);
  }

  /** Names what is missing, and gives the folders to go into. */
  async #missing(candidates: readonly Candidate[]): Promise<Candidate[]> {
    const known = await this.#known(candidates);
    const isMissing = ({ included, isOld }: Candidate, at: number) => included && isOld && !known[at];
    for (const [at, one] of candidates.entries()) if (isMissing(one, at)) this.#problem(one.path, movedHere, 'missing');
    return candidates.filter((one, at) => one.isFolder && !isMissing(one, at));
  }

  async #known(candidates: readonly Candidate[]): Promise<boolean[]> {
    const { threads } = this.#options;
    const keys = BigUint64Array.from(candidates, ({ key }) => key);
    const answers = candidates.length === 0 ? [] : Array.from({ length: threads.count }, (_, thread) => thread);
    const known = await Promise.all(answers.map((thread) => threads.runOn(thread, { kind: 'known', keys })));
    return candidates.map((_, at) => known.some((flags) => (flags as Uint8Array)[at] === 1));
  }

  #problem(path: string, reason: string, kind: 'unreadable' | 'missing' = 'unreadable'): void {
    if (!this.#problems.has(path)) this.#problems.set(path, { kind, path, reason });
  }
}
