import type { DriverContext, DriverProblem, JsonSchema, Run } from './driver.ts';
import type { Content, EncodedNodes, Node, SealedTree } from './node.ts';
import type { DataThreads, RestoreThreads } from './thread.ts';

/** A kind of source, such as `mysql` or `files`. One exported value per technology, listed in `drivers/index.ts`. */
export interface SourceDriver {
  /** The YAML's `driver:`. */
  readonly kind: string;
  /** JSON Schema (object) of the settings that are the driver's own; `driver`, `labels`, `renamedFrom` are core's. */
  readonly schema: JsonSchema;
  readonly capabilities: SourceCapabilities;
  /**
   * The settings that name files and folders of this machine which the source is, one or a list: a backup reads them and
   * all below. Where the last part of a path is a link, that link is meant.
   */
  readonly pathSettings?: readonly string[];
  /** The files and folders of this machine that a restore in place writes, by the backup's manifest. Pure. */
  restoredPaths?(manifest: Manifest): readonly string[];
  /** How patterns that select parts of a source relate; for a driver whose `selection` is not `none`. Pure. */
  readonly patterns?: PatternRelations;
  /** Whether a backup certainly holds nothing that these patterns name, by its manifest. Pure. */
  holdsNothing?(manifest: Manifest, only: readonly string[]): boolean;
  /** Cheap: connects on first use. */
  open(settings: Readonly<Record<string, unknown>>, context: DriverContext): Promise<SourceSession>;
  /**
   * For the driver of file trees: a session whose `restore` writes a backup of any driver into `request.folder`, which is
   * this absolute path.
   */
  openFolder?(folder: string, context: DriverContext): Promise<SourceSession>;
}

/** What the planner and the validator may rely on; data, never asked by trying. */
export interface SourceCapabilities {
  /** The first is the default of a plan's `type`. */
  readonly backupTypes: readonly BackupType[];
  /** What a plan's `include`/`exclude` and a restore's `only` patterns name: `db.table`, paths, or nothing. */
  readonly selection: 'tables' | 'paths' | 'none';
}

/** What a plan selects of a source. Empty `include` means everything. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface PatternRelations {
  /** Whether everything that `narrow` can name is named by `wide` too. False when that is not certain. */
  covers(wide: string, narrow: string): boolean;
  /** Whether something can be named by both. True when that is not certain. */
  meets(a: string, b: string): boolean;
}

export const backupTypes = ['logical', 'physical', 'snapshot', 'log'] as const;
export type BackupType = (typeof backupTypes)[number];

/** One connection of work with a source. Not for concurrent calls. Disposing twice is harmless. */
export interface SourceSession extends AsyncDisposable {
  /** Is it there, who is it, may we do what plans need? Throws SOURCE_UNREACHABLE or SOURCE_DENIED. */
  probe(signal: AbortSignal): Promise<SourceProbe>;
  /** Reads the source into `sink`. Fails rather than store less than it says: whatever is left out is in `warnings`. */
  backup(request: BackupRequest, sink: BackupSink): Promise<BackupResult>;
  /** Writes a backup back. Decides by the backup's manifest. Throws TARGET_NOT_EMPTY before touching anything. */
  restore(request: RestoreRequest, backup: BackupReader): Promise<RestoreResult>;
}

export interface SourceProbe {
  /** For people: `MariaDB 10.11.19`, `3 paths on ext4`. */
  readonly version: string;
  /** Tells this instance from any other: a server UUID, a host and its paths. A change of it is a change of source. */
  readonly identity: string;
  readonly problems: readonly DriverProblem[];
}

export interface BackupRequest extends Run {
  readonly type: BackupType;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** The newest earlier backup of the same plan, for drivers that do not read unchanged data again. */
  readonly parent?: ParentBackup;
}

/** Where a backup goes. Blobs are stored as they come; nothing is visible until core writes the snapshot. */
export interface BackupSink {
  /**
   * Starts a thread module of the driver, a `BackupThreadModule`, in every data thread; with `nextAfterMs` in the first one,
   * and in the others when a task has waited so long for a thread.
   */
  threads<Setup, Task, Result>(
    module: string,
    setup: Setup,
    options?: { readonly nextAfterMs?: number },
  ): Promise<DataThreads<Task, Result>>;
  /** Stores the bytes of a small file from this thread. Large data belongs into `threads`. */
  content(bytes: Uint8Array): Promise<Content>;
  /**
   * Stores a folder and gives the id of its tree. Nodes may come in any order; two of one name are an error. `again`: also where
   * the repository has it already, as what it has may be damaged.
   */
  tree(nodes: readonly Node[], options?: { readonly again: boolean }): Promise<string>;
  /** Stores a folder whose nodes a thread encoded, with the subtrees filled in (in the order of `subtreeOffsets`). */
  encodedTree(nodes: EncodedNodes, subtrees: readonly string[], options?: { readonly again: boolean }): Promise<string>;
}

export interface BackupResult {
  /** The entries of the root folder. Core adds `.tidemark/manifest.json` beside them. */
  readonly root: readonly Node[];
  /** Absolute paths that a snapshot list shows; `/` where nothing is better. */
  readonly paths: readonly string[];
  readonly facts: BackupFacts;
}

/** The driver's part of the manifest. */
export interface BackupFacts {
  readonly flavour: string;
  readonly version: string;
  readonly identity: string;
  /** The moment that the backup shows. Drivers add their own fields: binlog file and position, GTID. */
  readonly consistentPoint: { readonly time: string; readonly [key: string]: unknown };
  readonly totals: { readonly items: number; readonly bytes: number; readonly unchangedItems?: number };
  /** Per table or file set: name, rows or files, bytes, checksums; the driver's own shape. */
  readonly contents: readonly Readonly<Record<string, unknown>>[];
  /** What was left out or could not be read as it should. A non-empty list with `partial` makes the job end `partial`. */
  readonly warnings: readonly string[];
  readonly partial: boolean;
}

/** In the root folder of every backup, beside what the driver gave; holds the manifest. A restore in place has no business with it. */
export const manifestFolder = '.tidemark';

/** What `.tidemark/manifest.json` says; restore decides by it. */
export interface Manifest extends BackupFacts {
  readonly format: 1;
  readonly tidemark: string;
  readonly id: string;
  readonly plan: string;
  readonly source: string;
  readonly driver: string;
  readonly type: BackupType;
  readonly selection: Selection;
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface RestoreRequest extends Run {
  /** Only what matches these patterns (see `SourceCapabilities.selection`); empty means all. */
  readonly only: readonly string[];
  /** Absolute path of the folder to write into, in a session of `openFolder`. Absent: back into the source itself. */
  readonly folder?: string;
  /** Allows replacing what is there. Without it, existing data of the same name is TARGET_NOT_EMPTY. */
  readonly overwrite: boolean;
  /** Read everything back after writing and compare. */
  readonly verify: boolean;
  /**
   * Leave a file or table under its name although a part of it is damaged in the repository: what is missing of a file
   * reads as zeros, of a table the whole rows are there.
   */
  readonly keepDamaged: boolean;
}

export interface RestoreResult {
  readonly items: number;
  readonly bytes: number;
  readonly warnings: readonly string[];
  /** Everything that was asked for and is not whole in the target; a restore goes on past it. */
  readonly notRestored: readonly NotRestored[];
  /** How many more there are than `notRestored` lists; a lost folder of packs can cost a million files. */
  readonly notListed?: number;
  /** Something of what was asked for is not in the target. */
  readonly partial: boolean;
}

/** One thing that was asked for and is not whole in the target. */
export interface NotRestored {
  /** A path, `view shop.totals`, or a pattern. */
  readonly item: string;
  /**
   * Its bytes are damaged in the repository; the target refused it; something that it needs is not there, or this version
   * of tidemark does not know what it is; when verified,
   * the target gave back other bytes than were written; or the backup holds nothing that the pattern names.
   */
  readonly why: 'damaged' | 'refused' | 'skipped' | 'differs' | 'absent';
  /** For damage the blob and the pack below it, for a refusal the target's own words. */
  readonly detail: string;
}

/** Read access to the tree of one backup. */
export interface TreeReader {
  readonly rootTree: string;
  /** The nodes of a folder, sorted by name bytes. Throws REPOSITORY_CORRUPT. */
  tree(id: string): Promise<readonly Node[]>;
  /** The folder as stored, for a thread to decode with `BackupThreadContext.decodeNodes`. */
  encodedTree(id: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** An earlier backup. */
export interface ParentBackup extends TreeReader {
  /** As `encodedTree`, still sealed and from the first place alone, for a thread to open: see `BackupThreadContext.openTree`. */
  sealedTree?(id: string): Promise<SealedTree>;
  readonly manifest?: Pick<Manifest, 'contents' | 'startedAt'>;
}

export interface BackupReader extends TreeReader {
  readonly manifest: Manifest;
  /** The bytes of a file in order, each blob checked against its id. For small files and single streams. */
  read(content: Content): AsyncIterable<Uint8Array>;
  /** Starts a thread module of the driver, a `RestoreThreadModule`, in every data thread: for several files at once. */
  threads<Setup, Task, Result>(module: string, setup: Setup): Promise<RestoreThreads<Task, Result>>;
}
