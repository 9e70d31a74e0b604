/**
 * One entry of a folder in a backup, as restic's format has it.
 *
 * Names and link targets are strings in which every byte that is not valid UTF-8 stands as a lone surrogate
 * U+DC00+byte (`core/path-bytes.ts`), so that any file name survives and can still be matched and compared.
 */
export interface Node {
  readonly name: string;
  readonly type: NodeType;
  /** Permission bits and setuid, setgid, sticky as in stat(2); the file type is in `type`. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: bigint;
  readonly deviceId?: bigint;
  readonly links?: number;
  /** Files only. */
  readonly content?: Content;
  /** Symbolic links only. */
  readonly linkTarget?: string;
  /** Device nodes only: rdev. */
  readonly device?: bigint;
  readonly extendedAttributes?: readonly ExtendedAttribute[];
  /** Folders only: the id of the tree, 64 hex digits. Left out while the subtree is not stored yet. */
  readonly subtree?: string;
}

export const nodeTypes = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket'] as const;
export type NodeType = (typeof nodeTypes)[number];

export interface ExtendedAttribute {
  readonly name: string;
  readonly value: Uint8Array;
}

/** The bytes of a file: the ids of its blobs in order, `blobIdBytes` each, one after the other. */
export interface Content {
  readonly blobs: Uint8Array;
  readonly sizeBytes: number;
}

export const emptyContent: Content = { blobs: new Uint8Array(0), sizeBytes: 0 };

/** SHA-256. */
export const blobIdBytes = 32;

export function blobCount({ blobs }: Content): number {
  return blobs.length / blobIdBytes;
}

/** Nodes of one folder, sorted, in the repository's own encoding. Made by `BackupThreadContext.encodeNodes`. */
export interface EncodedNodes {
  readonly bytes: Uint8Array;
  /** Where in `bytes` the 64 hex digits of each subtree go, in the order of the folder's entries. */
  readonly subtreeOffsets: Uint32Array;
}

/** A folder as it lies in the repository. */
export interface SealedTree {
  readonly id: Uint8Array;
  readonly pack: Uint8Array;
  /** Set when it is compressed. */
  readonly plainBytes: number | undefined;
  readonly sealed: Uint8Array<ArrayBuffer>;
}
