import type {
  BackupRequest,
  BackupSink,
  Content,
  DataThreads,
  EncodedNodes,
  FilePart,
  Node,
} from '../../../core/driver/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';
import { FolderBatches } from './folder-batches.ts';
import { LifoPool } from './lifo-pool.ts';
import { joinPath } from './node-reader.ts';
import type { ScanSummary } from './scan-summary.ts';
import {
  type DeferredFiles,
  damagedParent,
  emptyReport,
  type FilesResult,
  type FolderResult,
  type FolderStamp,
  type FolderTask,
  type LargeFile,
  type PartResult,
  type Place,
  type ScannedFolder,
  type ScanProblem,
  type ScanResult,
  type ScanTask,
} from './scan-task.ts';
import type { PathTree, SourcePath } from './source-paths.ts';
import type { WalkedFolders } from './walked-folders.ts';

interface Folder {
  readonly path: string;
  /** Set while above the paths of the source. */
  readonly above?: PathTree;
  readonly source?: SourcePath;
  readonly included: boolean;
  readonly parentTree?: string;
  /** Its tree in the parent, or that of a folder above, is damaged: who knows what else is. Nothing stored is relied on. */
  readonly again?: boolean;
  readonly closed: boolean;
  readonly place?: Place;
  /** The folder that it is in, in `WalkedFolders`. */
  readonly parent?: number;
}

export interface TreeWalkOptions {
  readonly threads: DataThreads<ScanTask, ScanResult>;
  readonly sink: BackupSink;
  readonly request: BackupRequest;
  readonly summary: ScanSummary;
  readonly walked: WalkedFolders;
  readonly oneFileSystem: boolean;
}

const partBytes = 64 * 1024 * 1024;

/** Goes down from the root, has the threads look at each folder, and stores a folder when its sub folders are stored. */
export class TreeWalk {
  readonly #options: TreeWalkOptions;
  readonly #pool: LifoPool;
  readonly #batches: FolderBatches;

  constructor(options: TreeWalkOptions) {
    this.#options = options;
    // Some more than there are threads, so that parent trees are read ahead.
    const pool = new LifoPool(options.threads.count + 2);
    this.#pool = pool;
    this.#batches = new FolderBatches({ pool, scan: (folders) => this.#scanAll(folders) });
  }

  /** The nodes of the root folder. */
  async root(paths: PathTree): Promise<Node[]> {
    const parentTree = this.#options.request.parent?.rootTree;
    const root = { ...place(paths), path: '/', included: false, closed: false, parentTree };
    const result = await this.#scan(root, true);
    const { again } = result;
    const trees = await this.#subFolders({ ...root, again }, result, this.#remember(root, result));
    const byName = new Map(result.folders.map(({ name }, at) => [name, trees[at]]));
    return result.plainNodes!.map((node) => (node.type === 'dir' ? { ...node, subtree: byName.get(node.name) } : node));
  }

  async #folder(folder: Folder): Promise<string> {
    if (folder.closed) return this.#options.sink.tree([], { again: folder.again ?? false });
    const { again, ...result } = await this.#scan(folder, false);
    const at = this.#remember(folder, result);
    const nodes = result.deferred ? await this.#readDeferred(folder, result, result.deferred) : result.nodes;
    const trees = await this.#subFolders({ ...folder, again }, result, at);
    const { sink, request } = this.#options;
    if (!result.isSame) return sink.encodedTree(nodes, trees, { again });
    if (trees.every((tree, of) => tree === result.folders[of]!.parentTree)) return folder.parentTree!;
    return sink.encodedTree({ ...nodes, bytes: await request.parent!.encodedTree(folder.parentTree!) }, trees);
  }

  /** For the second look. The folders above the paths of the source are not listed. */
  #remember({ path, source, included, parent }: Folder, { stamp }: FolderResult): number | undefined {
    if (!source || !stamp) return undefined;
    const name = parent === undefined ? path : path.slice(path.lastIndexOf('/') + 1);
    return this.#options.walked.add({ name, parent, source, included }, stamp);
  }

  async #scan(folder: Folder, plain: boolean): Promise<FolderResult & { readonly again: boolean }> {
    const { summary, oneFileSystem } = this.#options;
    const { path, above, source, included, place } = folder;
    let parent: FolderTask['parent'];
    const look = (parentOf: () => Promise<FolderTask['parent']>) =>
      this.#batches.run(async () => {
        parent = await parentOf();
        const only = above && [...above.children.keys()];
        return { path, included, plain, parent, only, onlyDevice: oneFileSystem ? source?.deviceId : undefined, place };
      });
    let result = await look(() => this.#sealedParent(folder));
    if (result === damagedParent) result = await look(() => this.#parent(folder));
    if (result === damagedParent) throw new TidemarkError('BUG', 'a folder that was opened is damaged');
    summary.add(source, result.report);
    summary.stillUnmatched(result.unmatched);
    return { ...result, again: folder.again || (folder.parentTree !== undefined && parent === undefined) };
  }

  async #scanAll(folders: readonly FolderTask[]): Promise<ScannedFolder[]> {
    this.#options.request.signal.throwIfAborted();
    return (await this.#options.threads.run({ kind: 'folders', folders })) as ScannedFolder[];
  }

  /** To be opened by the thread that looks at the folder. */
  async #sealedParent(folder: Folder): Promise<FolderTask['parent']> {
    const { parent } = this.#options.request;
    if (folder.parentTree === undefined || !parent?.sealedTree) return this.#parent(folder);
    try {
      return await parent.sealedTree(folder.parentTree);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      return this.#parent(folder);
    }
  }

  /** From whatever place it is whole in. A damaged tree of the parent costs time, not the backup. */
  async #parent({ path, parentTree }: Folder): Promise<Uint8Array | undefined> {
    const { request, summary } = this.#options;
    if (parentTree === undefined) return undefined;
    try {
      return await request.parent?.encodedTree(parentTree);
    } catch (error) {
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      summary.warn(`${path} is read anew, because its folder in the previous backup is damaged: ${error.message}`);
      return undefined;
    }
  }

  #subFolders(folder: Folder, result: FolderResult, parent: number | undefined): Promise<string[]> {
    return Promise.all(
      result.folders.map(({ name, ...found }) => {
        const child = folder.above?.children.get(name);
        const at = child ? place(child) : { source: folder.source };
        return this.#folder({ path: joinPath(folder.path, name), ...found, parent, again: folder.again, ...at });
      }),
    );
  }

  /** Reads the files that were too many for the folder's own task, and gives the folder's nodes with them. */
  async #readDeferred(listed: Folder, result: FolderResult, deferred: DeferredFiles): Promise<EncodedNodes> {
    const folder = { ...listed, place: result.stamp ? placeOf(result.stamp) : listed.place };
    const [groups, large] = await Promise.all([
      Promise.all(deferred.groups.map((names) => this.#files(folder, names))),
      Promise.all(deferred.large.map((file) => this.#large(folder, file))),
    ]);
    const read = [...groups.map((nodes) => nodes.bytes), ...large.flatMap((one) => one.again)];
    const contents = large.map(({ name, content }) => ({ name, content }));
    return this.#run({ kind: 'merge', listed: result.nodes.bytes, large: contents, read }) as Promise<EncodedNodes>;
  }

  async #files({ path, place, source }: Folder, names: readonly string[]): Promise<EncodedNodes> {
    const { nodes, report } = (await this.#run({ kind: 'files', path, place, names })) as FilesResult;
    this.#options.summary.add(source, report);
    return nodes;
  }

  /**
   * The content of a large file, or the node of a second reading when it changed during the first: each part is opened by
   * its path, so they may be of two files.
   */
  async #large(folder: Folder, file: LargeFile): Promise<{ name: string; content?: Content; again: Uint8Array[] }> {
    const { name, sizeBytes } = file;
    const { path, place } = folder;
    const starts = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, part) => part * partBytes);
    const parts = (await Promise.all(
      starts.map((start) =>
        this.#run({ kind: 'part', path, place, file, start, end: Math.min(start + partBytes, sizeBytes) }),
      ),
    )) as PartResult[];
    const problem = parts.flatMap((part) => part.report.problems)[0];
    if (problem) {
      this.#lose(folder, file, problem);
      return { name, again: [] };
    }
    const contents = parts.map((part) => part.content!);
    if (parts.some((part) => part.changed) || !doMeet(contents))
      return { name, again: [await this.#readAgain(folder, file)] };
    return { name, content: join(contents), again: [] };
  }

  async #readAgain(folder: Folder, file: LargeFile): Promise<Uint8Array> {
    this.#uncount(folder, file, []);
    return (await this.#files(folder, [file.name])).bytes;
  }

  #lose(folder: Folder, file: LargeFile, { kind, reason }: ScanProblem): void {
    this.#uncount(folder, file, [{ kind, path: joinPath(folder.path, file.name), reason }]);
  }

  /** The scan of the folder counted it. */
  #uncount({ source }: Folder, { sizeBytes }: LargeFile, problems: ScanProblem[]): void {
    this.#options.summary.add(source, { ...emptyReport(), files: -1, bytes: -sizeBytes, problems });
  }

  #run(task: ScanTask): Promise<ScanResult> {
    return this.#pool.run(() => {
      this.#options.request.signal.throwIfAborted();
      return this.#options.threads.run(task);
    });
  }
}

function placeOf([deviceId, inode]: FolderStamp): Place {
  return { deviceId: deviceId!, inode: inode! };
}

/** Where a folder is: above the paths of the source, or one of them. */
function place(tree: PathTree): Pick<Folder, 'above' | 'source' | 'place'> {
  return tree.source ? { source: tree.source, place: { deviceId: tree.source.deviceId } } : { above: tree };
}

/** Each begins where the one before it ended; what a writer through `mmap` changes, the times of a file need not tell. */
function doMeet(parts: readonly FilePart[]): boolean {
  return parts.every(({ start }, at) => start === (at === 0 ? 0 : parts[at - 1]!.end));
}

function join(contents: readonly Content[]): Content {
  const sizeBytes = contents.reduce((sum, content) => sum + content.sizeBytes, 0);
  return { blobs: new Uint8Array(Buffer.concat(contents.map((content) => content.blobs))), sizeBytes };
}
