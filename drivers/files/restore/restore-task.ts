import type { ExtendedAttribute, Node } from '../../../core/driver/index.ts';

export interface RestoreSetup {
  /** The folder to write into, without symbolic links; `/` for a restore in place. */
  readonly root: string;
  /** What is in the way may be replaced. */
  readonly replace: boolean;
  /** A file that is not whole gets its name all the same. */
  readonly keepDamaged: boolean;
  /** Start of the names of what is not in its place yet. */
  readonly temporaryPrefix: string;
}

/** Paths are relative to the root, `/` between names, empty for the root itself. */
export type RestoreTask =
  | { readonly kind: 'folders'; readonly paths: readonly string[] }
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  | { readonly kind: 'links'; readonly links: readonly HardLink[] }
  | { readonly kind: 'folder-metadata'; readonly folders: readonly FinishedFolder[] }
  /** All file systems that this thread has written to. */
  | { readonly kind: 'sync' }
  | { readonly kind: 'report' }
  | FileTask;

/** A file whose blobs come through `scatter`; with `verify` they are compared instead of written. */
export interface FileTask {
  readonly kind: 'file';
  readonly id: number;
  readonly folder: string;
  readonly name: string;
  /** Written under this name and renamed when it is whole: a restore that dies leaves no half file under a good name. */
  readonly temporary: string;
  readonly sizeBytes: number;
  /** True when blobs may come to several threads. */
  readonly shared: boolean;
  readonly metadata: Metadata;
  readonly verify: boolean;
}

export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly attributes?: readonly ExtendedAttribute[];
}

/** Anything but a folder and a regular file. */
export interface Entry {
  readonly folder: string;
  readonly name: string;
  readonly type: Node['type'];
  readonly linkTarget?: string;
  readonly device?: bigint;
  readonly metadata: Metadata;
}

export interface HardLink {
  readonly folder: string;
  readonly name: string;
  readonly toFolder: string;
  readonly toName: string;
}

/** A folder that gets nothing more. */
export interface FinishedFolder {
  readonly path: string;
  readonly metadata: Metadata;
}

/** What went not quite as it should, since the last report. */
export interface RestoreReport {
  owners: number;
  modes: number;
  times: number;
  attributes: number;
  /** Files that read back otherwise than they were written. */
  differing: string[];
  refused: Refusal[];
  /** Names that the file system gives no second name: they become files of their own. */
  unlinked: string[];
}

/** What the target did not take, and its words. */
export interface Refusal {
  readonly path: string;
  readonly detail: string;
}

export function metadataOf(node: Node): Metadata {
  const { mode, uid, gid, atimeNs, mtimeNs, extendedAttributes } = node;
  return { mode, uid, gid, atimeNs, mtimeNs, attributes: extendedAttributes };
}

export function emptyRestoreReport(): RestoreReport {
  return { owners: 0, modes: 0, times: 0, attributes: 0, differing: [], refused: [], unlinked: [] };
}

export function childPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** Where a restore writes. */
export interface RestoreTarget {
  /** Absolute, without symbolic links. */
  readonly root: string;
  readonly inPlace: boolean;
  /** Names at the root of the backup that are not restored. */
  readonly leaveOut: readonly string[];
  readonly warnings: readonly string[];
}

/** What a restore is writing and gives its name when it is whole; one that stays is of a restore that was killed. */
export function isTemporary(name: string): boolean {
  return /^\.tidemark-[0-9a-f]{12}-(thread-)?\d+$/.test(name);
}

export function threadTemporary(prefix: string, thread: number): string {
  return `${prefix}-thread-${thread}`;
}
