import { constants, readdirSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { systemClock } from '../../../core/clock.ts';
import type { BackupThreadContext, Node } from '../../../core/driver/index.ts';
import { compareNames, decodeName } from '../../../core/path-bytes.ts';
import type { PathPatterns } from '../pattern.ts';
import { type Native, openNoAtime, workingFolder } from '../system/native.ts';
import type { FileStat } from '../system/stat.ts';
import type { UnmatchedPatterns } from '../unmatched.ts';
import { type FileChange, type FileReader, largeFileBytes } from './file-reader.ts';
import type { InodeSet } from './inode-set.ts';
import { joinPath, type NodeReader } from './node-reader.ts';
import type {
  DeferredFiles,
  FolderResult,
  FolderStamp,
  FolderTask,
  Place,
  ScanProblem,
  ScanReport,
  SubFolder,
} from './scan-task.ts';
import { emptyReport } from './scan-task.ts';

export interface ScanTools {
  readonly native: Native;
  readonly nodes: NodeReader;
  readonly files: FileReader;
  readonly exclude: PathPatterns;
  /** Absent: everything. */
  readonly include?: PathPatterns;
  /** Of `include`. */
  readonly unmatched: UnmatchedPatterns;
  readonly context: BackupThreadContext;
  /** What this thread has stored (folders: listed), or named as unreadable. */
  readonly known: InodeSet;
  /** When the parent backup began. */
  readonly parentStartedNs: bigint;
}

/** A task reads at most this much; the rest of a folder is spread over tasks, so that no thread stays idle. */
const taskBytes = 64 * 1024 * 1024;
const taskFiles = 1000;
/** The coarsest time stamps of a file system. */
const racyMs = 2000;
const racyNs = BigInt(racyMs) * 1_000_000n;
export const remounted = 'its file system was unmounted, or mounted, while it was read';
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface NewFile {
  readonly name: string;
  readonly stat: FileStat;
}

/** One look at one folder. */
export class FolderScan {
  readonly #tools: ScanTools;
  readonly #task: FolderTask;
  readonly #before: Map<string, Node>;
  readonly #nodes: Node[] = [];
  readonly #folders: SubFolder[] = [];
  readonly #newFiles: NewFile[] = [];
  readonly #report = emptyReport();
  #stamp: FolderStamp | undefined;

  constructor(tools: ScanTools, task: FolderTask) {
    this.#tools = tools;
    this.#task = task;
    const before = task.parent ? tools.context.decodeNodes(task.parent) : [];
    this.#before = new Map(before.map((node) => [node.name, node]));
  }

  run(): FolderResult {
    const folder = this.#open();
    if (folder === undefined) return this.#result(undefined);
    try {
      const names = this.#attempt('', () => this.#list(folder)) ?? [];
      for (const name of names) this.#attempt(name, () => this.#entry(folder, name));
      const deferred = this.#defer();
      if (!deferred) for (const file of this.#newFiles) this.#read(folder, file.name);
      return this.#result(deferred);
    } finally {
      this.#tools.native.close(folder);
    }
  }

  #open(): number | undefined {
    return this.#attempt('', () => openFolder(this.#tools.native, this.#task.path, this.#task.place));
  }

  #list(folder: number): readonly string[] {
    if (this.#task.only) return this.#task.only;
    const stat = this.#tools.native.stat(folder, '');
    if ((this.#task.place?.deviceId ?? stat.deviceId) !== stat.deviceId)
      this.#report.problems.push({ kind: 'unreadable', path: this.#task.path, reason: remounted });
    const stamp = stampOf(stat);
    const names = listFolder(folder);
    this.#stamp = stamp;
    this.#report.listed += names.length;
    this.#tools.known.add(stat);
    return names;
  }

  /** Runs `work`; what the system refuses becomes a problem of that path and the backup goes on. */
  #attempt<T>(name: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const path = name === '' ? this.#task.path : joinPath(this.#task.path, name);
      this.#report.problems.push(failed(this.#tools, error, path));
      return undefined;
    }
  }

  #entry(folder: number, name: string): void {
    const path = joinPath(this.#task.path, name);
    const included = this.#isIncluded(path, name);
    if (!this.#task.only && this.#tools.exclude.matches(path, name)) return;
    const stat = this.#tools.native.stat(folder, name);
    if (!this.#tools.unmatched.isEmpty) this.#tools.unmatched.see(path);
    if (stat.type === 'dir') {
      if (included || this.#tools.include?.mayMatchBelow(path)) this.#subFolder(folder, path, name, stat, included);
    } else if (included && !this.#isElsewhere(stat)) {
      if (stat.type === 'file') this.#file(name, stat);
      else this.#special(folder, path, name, stat);
    }
  }

  #isIncluded(path: string, name: string): boolean {
    const { include } = this.#tools;
    return !include || this.#task.included || include.matches(path, name);
  }

  #isElsewhere(stat: FileStat): boolean {
    return this.#task.onlyDevice !== undefined && stat.deviceId !== this.#task.onlyDevice;
  }

  #subFolder(folder: number, path: string, name: string, stat: FileStat, included: boolean): void {
    const before = this.#before.get(name);
    const parentTree = before?.type === 'dir' ? before.subtree : undefined;
    this.#nodes.push(this.#tools.nodes.special(folder, path, name, stat, before));
    const { deviceId, inode } = stat;
    const closed = this.#isElsewhere(stat);
    this.#folders.push({ name, included, parentTree, closed, place: { deviceId, inode } });
    this.#report.folders += 1;
  }

  #special(folder: number, path: string, name: string, stat: FileStat): void {
    this.#nodes.push(this.#tools.nodes.special(folder, path, name, stat, this.#before.get(name)));
    this.#tools.known.add(stat);
    this.#report.others += 1;
  }

  #file(name: string, stat: FileStat): void {
    const before = this.#before.get(name);
    if (!before?.content || !this.#isUnchanged(before, stat) || !this.#tools.context.has(before.content)) {
      this.#newFiles.push({ name, stat });
      return;
    }
    const node = this.#tools.nodes.node(name, stat, before.extendedAttributes);
    this.#nodes.push({ ...node, content: before.content });
    this.#tools.known.add(stat);
    this.#report.unchanged += 1;
    this.#count(stat.sizeBytes);
  }

  #isUnchanged(before: Node, stat: FileStat): boolean {
    return hasSameState(before, stat) && !mayHideChange(stat, this.#tools.parentStartedNs);
  }

  #read(folder: number, name: string): void {
    this.#attempt(name, () => {
      const node = readFileNode(this.#tools, folder, this.#task.path, name, this.#report);
      this.#nodes.push(node);
    });
  }

  #count(sizeBytes: number): void {
    this.#report.files += 1;
    this.#report.bytes += sizeBytes;
    this.#tools.context.progress({ bytes: sizeBytes, items: 1 });
  }

  /** Splits what is to be read when it is more than one task's worth. */
  #defer(): DeferredFiles | undefined {
    const bytes = this.#newFiles.reduce((sum, file) => sum + file.stat.sizeBytes, 0);
    const little = bytes < taskBytes && this.#newFiles.length <= taskFiles;
    if (little || this.#task.plain) return undefined;
    const large = this.#newFiles.filter((file) => file.stat.sizeBytes >= largeFileBytes);
    const rest = this.#newFiles.filter((file) => file.stat.sizeBytes < largeFileBytes);
    return { groups: groupFiles(rest), large: large.map(({ name, stat }) => this.#largeFile(name, stat)) };
  }

  #largeFile(name: string, stat: FileStat): DeferredFiles['large'][number] {
    const attributes = this.#attempt(name, () =>
      this.#tools.nodes.attributes(joinPath(this.#task.path, name), stat, undefined),
    );
    this.#nodes.push(this.#tools.nodes.node(name, stat, attributes));
    this.#report.files += 1;
    this.#report.bytes += stat.sizeBytes;
    const { sizeBytes, mtimeNs, ctimeNs, inode } = stat;
    return { name, sizeBytes, mtimeNs, ctimeNs, inode };
  }

  #result(deferred: DeferredFiles | undefined): FolderResult {
    return {
      stamp: this.#stamp,
      nodes: this.#tools.context.encodeNodes(this.#task.plain ? [] : this.#nodes),
      plainNodes: this.#task.plain ? this.#nodes : undefined,
      folders: this.#folders.sort((a, b) => compareNames(a.name, b.name)),
      deferred,
      unmatched: this.#tools.unmatched.texts,
      report: this.#report,
    };
  }
}

/** Reads a file and makes its node; counts it and says when it changed meanwhile. Throws the system's errors. */
export function readFileNode(tools: ScanTools, folder: number, path: string, name: string, report: ScanReport): Node {
  const { stat, content, attributes, change } = tools.files.read(folder, name);
  tools.known.add(stat);
  report.files += 1;
  report.bytes += content.sizeBytes;
  if (change) report.problems.push(changeProblem(joinPath(path, name), change));
  tools.context.progress({ bytes: content.sizeBytes, items: 1 });
  return { ...tools.nodes.node(name, stat, attributes), content };
}

function changeProblem(path: string, change: FileChange): ScanProblem {
  if (change.kind === 'torn')
    return {
      kind: 'torn',
      path,
      reason: 'was rewritten each time it was read: its bytes in this backup may not fit together',
    };
  const reason = `changed while it was read: the backup holds what was in it at ${change.at.toISOString()}`;
  return { kind: 'changed', path, reason };
}

/** Throws ESTALE where `place` was found and another folder of the same file system stands there now. */
export function openFolder(native: Native, path: string, { deviceId, inode }: Partial<Place> = {}): number {
  const folder = openPath(native, path);
  if (inode === undefined) return folder;
  const now = native.stat(folder, '');
  if (now.deviceId !== deviceId || now.inode === inode) return folder;
  native.close(folder);
  const text = 'another folder stood in its place when it was to be read';
  throw Object.assign(new Error(text), { code: 'ESTALE', errno: -osConstants.errno.ESTALE });
}

function openPath(native: Native, path: string): number {
  try {
    return native.open(workingFolder, path, folderFlags | openNoAtime);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return native.open(workingFolder, path, folderFlags);
  }
}

/** As `problemOf`. What cannot be read is named by that, and need not be looked for. */
export function failed(tools: ScanTools, error: unknown, path: string): ScanProblem {
  const problem = problemOf(error, path);
  try {
    if (problem.kind === 'unreadable') tools.known.add(tools.native.stat(workingFolder, path));
  } catch {} // nor can it be seen
  return problem;
}

/** Of an error of the system; any other is thrown again. */
export function problemOf(error: unknown, path: string): ScanProblem {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) throw error;
  const vanished = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
  return { kind: vanished ? 'vanished' : 'unreadable', path, reason: message };
}

/**
 * Latin-1 keeps the bytes of names as they are, and is much faster than one buffer per name. A file system may name an entry
 * twice while the folder changes.
 */
export function listFolder(folder: number): string[] {
  const names = readdirSync(`/proc/self/fd/${folder}`, { encoding: 'latin1' });
  return [...new Set(names)].map((name) => (isAscii(name) ? name : decodeName(Buffer.from(name, 'latin1'))));
}

/** To be taken before the folder is listed. */
export function stampOf(stat: FileStat): FolderStamp {
  const ageMs = systemClock.now().getTime() - Number(stat.ctimeNs / 1_000_000n);
  const ctimeNs = ageMs < racyMs ? -1n : stat.ctimeNs;
  return BigInt64Array.of(stat.deviceId, stat.inode, ctimeNs, stat.mtimeNs);
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function hasSameState(before: Node, stat: FileStat): boolean {
  return (
    before.type === 'file' &&
    before.content?.sizeBytes === stat.sizeBytes &&
    before.ctimeNs === stat.ctimeNs &&
    before.mtimeNs === stat.mtimeNs &&
    before.inode === stat.inode
  );
}

/** A file system that stamps whole seconds stamps a change right after the file was read with the same one. */
function mayHideChange({ ctimeNs }: FileStat, readFromNs: bigint): boolean {
  return ctimeNs % 1_000_000_000n === 0n && ctimeNs > readFromNs - racyNs;
}

function groupFiles(files: readonly NewFile[]): string[][] {
  const groups: string[][] = [];
  let group: string[] = [];
  let bytes = 0;
  for (const { name, stat } of files) {
    if (group.length >= taskFiles || (group.length > 0 && bytes + stat.sizeBytes > taskBytes)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(name);
    bytes += stat.sizeBytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
