import type { Content, EncodedNodes, FilePart, Node } from '../../../core/driver/index.ts';

/** What the scan threads are opened with. */
export interface ScanSetup {
  readonly exclude: readonly string[];
  readonly include: readonly string[];
}

export type ScanTask = FolderTask | FilesTask | PartTask | MergeTask;
export type ScanResult = FolderResult | FilesResult | PartResult | EncodedNodes;

/** Look at one folder: list it, compare with the parent snapshot, read what is new while that is little. */
export interface FolderTask {
  readonly kind: 'folder';
  readonly path: string;
  /** Only these entries, whatever the patterns say: for the folders above the paths of the source. */
  readonly only?: readonly string[];
  /** True when an `include` pattern matched this folder or one above it. */
  readonly included: boolean;
  /** This folder in the parent snapshot, as stored. */
  readonly parent?: Uint8Array;
  /** Folders of other file systems are stored empty. */
  readonly onlyDevice?: bigint;
  /** Give the nodes as they are instead of encoded: for the root. */
  readonly plain: boolean;
}

export interface FolderResult {
  readonly nodes: EncodedNodes;
  readonly plainNodes?: Node[];
  /** In the order of `nodes.subtreeOffsets`. */
  readonly folders: SubFolder[];
  /** Files to be read by tasks of their own before the folder can be stored; their nodes are not in `nodes` yet. */
  readonly deferred?: DeferredFiles;
  /** Those of `include` that this thread has seen no match of. */
  readonly unmatched: readonly string[];
  readonly report: ScanReport;
}

export interface SubFolder {
  readonly name: string;
  readonly included: boolean;
  /** Its tree in the parent snapshot. */
  readonly parentTree?: string;
  /** A mount point that is not to be entered. */
  readonly closed: boolean;
}

export interface DeferredFiles {
  /** Groups of names, each of a size that is worth a task. */
  readonly groups: string[][];
  readonly large: LargeFile[];
}

/** A file that several threads read in parts. Its node, but for the content, is in the folder's `nodes`. */
export interface LargeFile extends FileState {
  readonly name: string;
}

/** What must not change while a file is read. */
export interface FileState {
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

/** Read these files of a folder. */
export interface FilesTask {
  readonly kind: 'files';
  readonly path: string;
  readonly names: readonly string[];
}

export interface FilesResult {
  readonly nodes: EncodedNodes;
  readonly report: ScanReport;
}

/** Read a part of a large file. */
export interface PartTask {
  readonly kind: 'part';
  readonly path: string;
  readonly file: LargeFile;
  readonly start: number;
  readonly end: number;
}

/** Without content: the file cannot be read any more. */
export interface PartResult {
  readonly content?: FilePart;
  readonly changed: boolean;
  readonly report: ScanReport;
}

/** Put the parts of a folder's nodes together. */
export interface MergeTask {
  readonly kind: 'merge';
  /** Those of the folder's own task. */
  readonly listed: Uint8Array;
  /** Contents of the large files among them; those without content are left out. */
  readonly large: readonly { readonly name: string; readonly content?: Content }[];
  /** Those of the tasks that read the others, or a large file once more. */
  readonly read: readonly Uint8Array[];
}

export interface ScanReport {
  files: number;
  folders: number;
  others: number;
  bytes: number;
  unchanged: number;
  problems: ScanProblem[];
}

/**
 * `unreadable` makes a backup partial. `changed`: stored as read, although it changed meanwhile each time. `vanished`:
 * gone between being listed and being read, which is no fault where it was deleted.
 */
export interface ScanProblem {
  readonly kind: 'unreadable' | 'changed' | 'vanished';
  readonly path: string;
  readonly reason: string;
}

export function emptyReport(): ScanReport {
  return { files: 0, folders: 0, others: 0, bytes: 0, unchanged: 0, problems: [] };
}
