import type { Content, EncodedNodes, Node, NodeType, SealedTree } from './node.ts';

/**
 * The code of a driver that runs inside the data threads, where hashing, compression and encryption happen too, so that
 * bytes never cross threads before they are sealed. A file that exports `open` of this type is a thread module; the
 * driver names it by its URL, which `import.meta.resolve` gives.
 */
export interface ThreadModule<Setup, Task, Result, Context extends ThreadContext> {
  open(setup: Setup, context: Context): ThreadSession<Task, Result> | Promise<ThreadSession<Task, Result>>;
}

/** What `BackupSink.threads` starts. */
export type BackupThreadModule<Setup, Task, Result> = ThreadModule<Setup, Task, Result, BackupThreadContext>;

/** What `BackupReader.threads` starts. */
export type RestoreThreadModule<Setup, Task, Result> = ThreadModule<Setup, Task, Result, RestoreThreadContext>;

/** One thread's worker. Calls come one at a time; `blob` may be called synchronously many times in a row. */
export interface ThreadSession<Task, Result> {
  run?(task: Task): Result | Promise<Result>;
  /**
   * For `RestoreThreads.scatter`: bytes of the file of `task` at this offset, not to be kept. `end` comes once per file,
   * with its last bytes or after them, in whichever thread was last. False gives the file up: more of it may still
   * come, and its end is `damaged`.
   */
  blob?(task: Task, offset: number, bytes: Uint8Array, end?: FileEnd): boolean;
  close(): void | Promise<void>;
}

/** How a scattered file ended: with every byte of it, or with a part that is lost or was given up. */
export type FileEnd = 'whole' | 'damaged';

/** What every thread module gets. */
export interface ThreadContext {
  /** Number of this thread, from 0, and how many there are. */
  readonly thread: number;
  readonly threads: number;
  /** Adds to the progress of the job. */
  progress(done: { bytes?: number; items?: number }): void;
}

/** The content of a file from `start` to `end`, its edges as they were moved. */
export interface FilePart extends Content {
  readonly start: number;
  readonly end: number;
}

/** What a backup may do with the repository. Writing blocks this thread while the destination is behind. */
export interface BackupThreadContext extends ThreadContext {
  /** A new file body. Several may be open in one thread. */
  writer(chunking: Chunking): ContentWriter;
  /**
   * Stores a part of an open file, cut by content. Parts of one file may be stored by different threads: their edges are
   * moved to cuts that depend on content only, so the contents of the parts in order are the content of the file, unless
   * it changed meanwhile: then a part may begin where the one before it did not end. `part` is in bytes; the last part of a
   * file ends at `fileSizeBytes`.
   */
  filePart(descriptor: number, part: { start: number; end: number }, fileSizeBytes: number): FilePart;
  /** Stores bytes as one blob, whatever their length (up to 8 MiB), and gives its content. */
  blob(bytes: Uint8Array): Content;
  /** Whether the repository has every blob of this content. Ask before a content of the parent is used again. */
  has(content: Content): boolean;
  /** Sorts and encodes the nodes of a folder; folders without `subtree` get their place in `subtreeOffsets`. */
  encodeNodes(nodes: Node[]): EncodedNodes;
  decodeNodes(encoded: Uint8Array): Node[];
  /** A folder of the parent, in memory that the next call uses again. Throws REPOSITORY_CORRUPT where it is damaged. */
  openTree(tree: SealedTree): Uint8Array;
  /** The nodes of a folder of the parent, compared and taken over as they are stored. Throws REPOSITORY_CORRUPT. */
  storedNodes(encoded: Uint8Array): StoredNodes;
}

/** The nodes of a stored folder, by their numbers, and which of them the folder still has. */
export interface StoredNodes {
  /** The number of the node of this name, -1 where there is none. The name as Latin-1: one character per byte. */
  find(latin1: string): number;
  node(at: number): Node;
  /**
   * Whether a node made of these would be stored as this file or folder is, but for its content or subtree, and its
   * extended attributes. False also where that is not certain.
   */
  isSame(at: number, state: EntryState, owner: Owner): boolean;
  /** Of a file that is the same: whether the repository has every blob of it. */
  hasContent(at: number): boolean;
  /** Of a folder that is the same. */
  subtree(at: number): string;
  /** The folder still has this node, which is the same. A folder's subtree is filled in again. */
  keep(at: number): void;
  /** Takes the node of this number instead of `node` where both are stored alike. Not for folders. */
  keepsAlike(at: number, node: Node): boolean;
  /** The nodes that were kept, and these. */
  encode(nodes: readonly Node[]): EncodedNodes;
  /** Where the subtrees go in what is stored, when all of it was kept. */
  readonly subtreeOffsetsIfAll: Uint32Array | undefined;
}

/** What stat(2) tells of an entry. Nanoseconds since 1970 do not fit into a number, so that times come in two. */
export interface EntryState {
  readonly type: NodeType;
  /** Permission bits, setuid, setgid, sticky. */
  readonly mode: number;
  readonly links: number;
  readonly inode: bigint;
  readonly deviceId: bigint;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly atimeSeconds: number;
  readonly atimeNanos: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanos: number;
}

/** Who owns an entry; the same object for the same numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
}

/** What a restore may do with the repository. */
export interface RestoreThreadContext extends ThreadContext {
  /** The bytes of a stored file in order. */
  read(content: Content): AsyncIterable<Uint8Array>;
}

/**
 * How a stream of bytes is cut into blobs: `content` by a rolling hash, `fixed` in aligned blocks of `sizeBytes` (for
 * files that change in place), `manual` only where `cut()` is called (for producers that know better, such as rows in
 * key order).
 */
export type Chunking = { by: 'content' } | { by: 'fixed'; sizeBytes: number } | { by: 'manual' };

export interface ContentWriter {
  /** Bytes are copied or consumed before this returns. */
  write(bytes: Uint8Array): void;
  /** Ends the current blob here, when it has any bytes. */
  cut(): void;
  end(): Content;
}

/**
 * The driver's side of its thread modules. Tasks and results are copied by structured clone, but for the buffers in
 * `transfer`: those change hands, and are empty here afterwards.
 */
export interface DataThreads<Task, Result> extends AsyncDisposable {
  readonly count: number;
  /** Runs on the first idle thread. Rejects with what the module threw. */
  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result>;
  /** Runs on one chosen thread, for state that belongs to a thread such as a connection. */
  runOn(thread: number, task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result>;
}

/** Threads that read a backup. */
export interface RestoreThreads<Task, Result> extends DataThreads<Task, Result> {
  /**
   * Brings the blobs of many files to these threads in the order in which packs hold them, each blob to the module's
   * `blob(task, offset, bytes)`, several files and blobs at once. Use batches of some thousand files, one batch after the
   * other. Resolves when every blob of the batch was written, with the files of which a part is damaged or missing in the
   * repository: their sound parts came, at their offsets.
   */
  scatter(files: readonly { readonly task: Task; readonly content: Content }[]): Promise<readonly DamagedFile[]>;
}

/** A file that a scatter could not bring whole. */
export interface DamagedFile {
  /** Which of the files, from 0. */
  readonly file: number;
  /** The blobs and the packs that should hold them: the first ones, and how many more. */
  readonly detail: string;
}
