import type { Content, EncodedNodes, FilePart, Node, SealedTree } from '../../../core/driver/index.ts';

/** What the scan threads are opened with. */
export interface ScanSetup {
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  /** When the parent backup began. */
  readonly parentStartedAt?: Date;
}

export type ScanTask = FoldersTask | FilesTask | PartTask | MergeTask | StampTask | LookTask | KnownTask;
export type ScanResult =
  | ScannedFolder[]
  | FilesResult
  | PartResult
  | EncodedNodes
  | BigInt64Array
  | LookResult
  | Uint8Array;

/** Look at these folders, one after the other. When much of one was read, the rest are left: the results are fewer then. */
export interface FoldersTask {
  readonly kind: 'folders';
  readonly folders: readonly FolderTask[];
}

/** Look at one folder: list it, compare with the parent snapshot, read what is new while that is little. */
export interface FolderTask {
  readonly path: string;
  /** Only these entries, whatever the patterns say: for the folders above the paths of the source. */
  readonly only?: readonly string[];
  /** True when an `include` pattern matched this folder or one above it. */
  readonly included: boolean;
  /** This folder in the parent snapshot, as it is stored, or opened. */
  readonly parent?: SealedTree | Uint8Array;
  /** Folders of other file systems are stored empty. */
  readonly onlyDevice?: bigint;
  /** What was found here. */
  readonly place?: Place;
  /** Give the nodes as they are instead of encoded: for the root. */
  readonly plain: boolean;
}

/** `damaged parent`: nothing was looked at. */
export type ScannedFolder = FolderResult | typeof damagedParent;
export const damagedParent = 'damaged parent';

export interface FolderResult {
  /** From before it was listed. Absent: it was not. */
  readonly stamp?: FolderStamp;
  /** Empty, but for the places of the subtrees, where they are those of `parent`: see `isSame`. */
  readonly nodes: EncodedNodes;
  /** Every node is as it is stored in the parent backup, but for the subtrees. */
  readonly isSame: boolean;
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
  readonly place: Place;
}

/** Which folder a path led to when it was found: by the time that it is opened it may lead to another, even out of the source. */
export interface Place {
  readonly deviceId: bigint;
  readonly inode?: bigint;
}

/**
 * Device, inode, ctime, mtime: what changes with every change of the entries. When it was so young that another change
 * may leave the same, the ctime is one that no folder has.
 */
export type FolderStamp = BigInt64Array;
export const stampFields = 4;

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
  readonly place?: Place;
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
  readonly place?: Place;
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

/** What these folders are like now, one stamp after the other; zeros where there is none to be seen. */
export interface StampTask {
  readonly kind: 'stamps';
  readonly paths: readonly string[];
}

/** List a folder once more, for what is selected in it and was there when the backup began. */
export interface LookTask {
  readonly kind: 'look';
  readonly path: string;
  /** As of `FolderTask`. */
  readonly only?: readonly string[];
  readonly included: boolean;
  readonly onlyDevice?: bigint;
  readonly startedNs: bigint;
}

export interface LookResult {
  /** Absent: there is no such folder. */
  readonly folder?: LookEntry & { readonly stamp: FolderStamp };
  /** Folders, and what this thread knows nothing of. */
  readonly entries: readonly LookEntry[];
  readonly problems: readonly ScanProblem[];
}

export interface LookEntry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly included: boolean;
  /** It was there, somewhere, when the backup began. */
  readonly isOld: boolean;
  /** Of its inode, see `InodeSet`. */
  readonly key: bigint;
}

/** Whether this thread has stored these, or named them as unreadable. Gives a 1 for each that it has. */
export interface KnownTask {
  readonly kind: 'known';
  readonly keys: BigUint64Array;
}

export interface ScanReport {
  /** All entries of the folders that were listed, whatever the patterns select. */
  listed: number;
  files: number;
  folders: number;
  others: number;
  bytes: number;
  unchanged: number;
  problems: ScanProblem[];
}

/**
 * `unreadable`, `missing` (nobody has tried to read it) and `torn` (stored, but of no one moment) make a backup partial.
 * `changed`: stored as it was at one moment, although it changed at each reading. `vanished`: gone between being listed
 * and being read, which is no fault where it was deleted.
 */
export interface ScanProblem {
  readonly kind: 'unreadable' | 'missing' | 'torn' | 'changed' | 'vanished';
  readonly path: string;
  readonly reason: string;
}

export function emptyReport(): ScanReport {
  return { listed: 0, files: 0, folders: 0, others: 0, bytes: 0, unchanged: 0, problems: [] };
}
