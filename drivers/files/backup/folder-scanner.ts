import {
  type BackupThreadContext,
  type EncodedNodes,
  emptyContent,
  type Node,
  type StoredNodes,
} from '../../../core/driver/index.ts';
import { compareNames } from '../../../core/path-bytes.ts';
import type { PathPatterns } from '../pattern.ts';
import type { Native } from '../system/native.ts';
import type { FileStat, StatView } from '../system/stat.ts';
import type { UnmatchedPatterns } from '../unmatched.ts';
import { type FileChange, type FileReader, largeFileBytes } from './file-reader.ts';
import { failed, listRaw, nameOf, openFolder, racyMs, rawOf, remounted, stampOf } from './folder-listing.ts';
import type { InodeSet } from './inode-set.ts';
import { joinPath, type NodeReader } from './node-reader.ts';
import type {
  DeferredFiles,
  FolderResult,
  FolderStamp,
  FolderTask,
  ScanProblem,
  ScanReport,
  SubFolder,
} from './scan-task.ts';
import { emptyReport } from './scan-task.ts';
import { type Selected, select } from './select-entry.ts';

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
export const taskBytes = 64 * 1024 * 1024;
const taskFiles = 1000;
const racyNs = BigInt(racyMs) * 1_000_000n;

type Numbers = Pick<FileStat, 'deviceId' | 'inode'>;

interface NewFile {
  readonly name: string;
  readonly stat: FileStat;
}

/** One look at one folder. */
export class FolderScan {
  readonly #tools: ScanTools;
  readonly #task: FolderTask;
  /** This folder in the parent backup. */
  readonly #before: StoredNodes | undefined;
  readonly #nodes: Node[] = [];
  readonly #folders: SubFolder[] = [];
  readonly #newFiles: NewFile[] = [];
  readonly #report = emptyReport();
  #stamp: FolderStamp | undefined;
  #readBytes = 0;

  /** `parent`: of the task, opened. */
  constructor(tools: ScanTools, task: FolderTask, parent: Uint8Array | undefined) {
    this.#tools = tools;
    this.#task = task;
    this.#before = parent && tools.context.storedNodes(parent);
  }

  /** What has been read of files so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  run(): FolderResult {
    const folder = this.#open();
    if (folder === undefined) return this.#result(undefined);
    try {
      const names = this.#attempt('', () => this.#list(folder)) ?? [];
      for (const raw of names) this.#attempt(raw, () => this.#entry(folder, raw));
      this.#tools.context.progress({ bytes: this.#report.bytes, items: this.#report.unchanged });
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

  /** Names as they are on disk, in Latin-1. */
  #list(folder: number): Iterable<string> {
    if (this.#task.only) return this.#task.only.map(rawOf);
    const stat = this.#tools.native.stat(folder, '');
    if ((this.#task.place?.deviceId ?? stat.deviceId) !== stat.deviceId)
      this.#report.problems.push({ kind: 'unreadable', path: this.#task.path, reason: remounted });
    const stamp = stampOf(stat);
    const names = listRaw(this.#tools.native, folder);
    this.#stamp = stamp;
    this.#report.listed += names.size;
    this.#tools.known.add(stat);
    return names;
  }

  /** Runs `work`; what the system refuses becomes a problem of that path and the backup goes on. */
  #attempt<T>(raw: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const path = raw === '' ? this.#task.path : joinPath(this.#task.path, nameOf(raw));
      this.#report.problems.push(failed(this.#tools, error, path));
      return undefined;
    }
  }

  #entry(folder: number, raw: string): void {
    const name = nameOf(raw);
    const path = joinPath(this.#task.path, name);
    const selected = select<StatView>(this.#tools, this.#task, path, name, () => this.#see(folder, path, name));
    if (selected === undefined) return;
    const at = this.#before?.find(raw) ?? -1;
    if (this.#keeps(at, name, selected)) return;
    const stat = selected.stat.decode();
    const before = at < 0 ? undefined : this.#before!.node(at);
    if (stat.type === 'dir') this.#subFolder(folder, path, name, { ...selected, stat }, before);
    else if (stat.type === 'file') this.#file(name, stat, before);
    else this.#special(folder, path, name, stat, at, before);
  }

  #see(folder: number, path: string, name: string): StatView {
    const stat = this.#tools.native.look(folder, name);
    if (!this.#tools.unmatched.isEmpty) this.#tools.unmatched.see(path);
    return stat;
  }

  /** Whether the node in the parent backup can stay as it is stored. Most can. */
  #keeps(at: number, name: string, selected: Selected<StatView>): boolean {
    if (at < 0 || this.#task.plain) return false;
    const { stat } = selected;
    const before = this.#before!;
    if (!before.isSame(at, stat, this.#tools.nodes.owner(stat.uid, stat.gid))) return false;
    if (stat.type === 'dir') this.#found(name, selected, before.subtree(at));
    else if (this.#mayHideChange(stat) || !before.hasContent(at)) return false;
    else this.#unchanged(stat);
    before.keep(at);
    return true;
  }

  #mayHideChange({ ctimeSeconds, ctimeNanos }: StatView): boolean {
    if (ctimeNanos !== 0) return false;
    return mayHideChange({ ctimeNs: BigInt(ctimeSeconds) * 1_000_000_000n }, this.#tools.parentStartedNs);
  }

  #subFolder(folder: number, path: string, name: string, selected: Selected, before: Node | undefined): void {
    this.#nodes.push(this.#tools.nodes.special(folder, path, name, selected.stat, before));
    this.#found(name, selected, before?.type === 'dir' ? before.subtree : undefined);
  }

  #found(name: string, selected: Omit<Selected, 'stat'> & { stat: Numbers }, parentTree: string | undefined): void {
    const { included, isElsewhere } = selected;
    const { deviceId, inode } = selected.stat;
    this.#folders.push({ name, included, parentTree, closed: isElsewhere, place: { deviceId, inode } });
    this.#report.folders += 1;
  }

  #special(folder: number, path: string, name: string, stat: FileStat, at: number, before: Node | undefined): void {
    const node = this.#tools.nodes.special(folder, path, name, stat, before);
    const isKept = at >= 0 && !this.#task.plain && this.#before!.keepsAlike(at, node);
    if (!isKept) this.#nodes.push(node);
    this.#tools.known.add(stat);
    this.#report.others += 1;
  }

  #file(name: string, stat: FileStat, before: Node | undefined): void {
    if (!before?.content || !this.#isUnchanged(before, stat) || !this.#tools.context.has(before.content)) {
      this.#newFiles.push({ name, stat });
      return;
    }
    const node = this.#tools.nodes.node(name, stat, before.extendedAttributes);
    this.#nodes.push({ ...node, content: before.content });
    this.#unchanged(stat);
  }

  #unchanged(stat: Numbers & { readonly sizeBytes: number }): void {
    this.#tools.known.add(stat);
    this.#report.unchanged += 1;
    this.#report.files += 1;
    this.#report.bytes += stat.sizeBytes;
  }

  #isUnchanged(before: Node, stat: FileStat): boolean {
    return hasSameState(before, stat) && !mayHideChange(stat, this.#tools.parentStartedNs);
  }

  #read(folder: number, name: string): void {
    this.#attempt(name, () => {
      const node = readFileNode(this.#tools, folder, this.#task.path, name, this.#report);
      this.#nodes.push(node);
      this.#readBytes += node.content?.sizeBytes ?? 0;
    });
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
    const same = deferred || this.#nodes.length > 0 || this.#task.plain ? undefined : this.#before?.subtreeOffsetsIfAll;
    return {
      stamp: this.#stamp,
      nodes: same ? { bytes: emptyContent.blobs, subtreeOffsets: same } : this.#encode(),
      isSame: same !== undefined,
      plainNodes: this.#task.plain ? this.#nodes : undefined,
      folders: this.#folders.sort((a, b) => compareNames(a.name, b.name)),
      deferred,
      unmatched: this.#tools.unmatched.texts,
      report: this.#report,
    };
  }

  #encode(): EncodedNodes {
    if (this.#task.plain) return this.#tools.context.encodeNodes([]);
    return this.#before?.encode(this.#nodes) ?? this.#tools.context.encodeNodes(this.#nodes);
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
function mayHideChange({ ctimeNs }: Pick<FileStat, 'ctimeNs'>, readFromNs: bigint): boolean {
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
