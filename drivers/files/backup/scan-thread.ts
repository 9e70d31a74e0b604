import { systemClock } from '../../../core/clock.ts';
import type { BackupThreadContext, EncodedNodes, FilePart, Node, ThreadSession } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import { pathPatterns } from '../pattern.ts';
import { readAccounts } from '../system/accounts.ts';
import { loadNative } from '../system/native.ts';
import { UnmatchedPatterns } from '../unmatched.ts';
import { FileReader } from './file-reader.ts';
import { failed, openFolder } from './folder-listing.ts';
import { FolderLook, stamps } from './folder-look.ts';
import { FolderScan, readFileNode, type ScanTools, taskBytes } from './folder-scanner.ts';
import { InodeSet } from './inode-set.ts';
import { joinPath, NodeReader } from './node-reader.ts';
import {
  damagedParent,
  emptyReport,
  type FilesResult,
  type FilesTask,
  type FolderTask,
  type MergeTask,
  type PartResult,
  type PartTask,
  type ScannedFolder,
  type ScanResult,
  type ScanSetup,
  type ScanTask,
} from './scan-task.ts';

/** The thread module of the source `files`: looks at folders and reads files into blobs. */
export function open(setup: ScanSetup, context: BackupThreadContext): ThreadSession<ScanTask, ScanResult> {
  const native = loadNative();
  const nodes = new NodeReader(native, readAccounts());
  const tools: ScanTools = {
    native,
    nodes,
    context,
    files: new FileReader(native, nodes, context, systemClock),
    exclude: pathPatterns(setup.exclude),
    include: setup.include.length > 0 ? pathPatterns(setup.include) : undefined,
    unmatched: new UnmatchedPatterns(setup.include),
    known: new InodeSet(),
    parentStartedNs: BigInt(setup.parentStartedAt?.getTime() ?? 0) * 1_000_000n,
  };
  return { run: (task) => runTask(tools, task), close() {} };
}

function runTask(tools: ScanTools, task: ScanTask): ScanResult {
  switch (task.kind) {
    case 'folders':
      return scanFolders(tools, task.folders);
    case 'files':
      return readFiles(tools, task);
    case 'part':
      return readPart(tools, task);
    case 'merge':
      return merge(tools, task);
    case 'stamps':
      return stamps(tools, task);
    case 'look':
      return new FolderLook(tools, task).run();
    case 'known':
      return Uint8Array.from(task.keys, (key) => (tools.known.has(key) ? 1 : 0));
  }
}

function scanFolders(tools: ScanTools, folders: readonly FolderTask[]): ScannedFolder[] {
  const results: ScannedFolder[] = [];
  for (let read = 0; results.length < folders.length && read < taskBytes; ) {
    const task = folders[results.length]!;
    const parent = openParent(tools, task);
    if (parent === damagedParent) {
      results.push(damagedParent);
      continue;
    }
    const scan = new FolderScan(tools, task, parent);
    results.push(scan.run());
    read += scan.readBytes;
  }
  return results;
}

function openParent({ context }: ScanTools, { parent }: FolderTask): Uint8Array | undefined | typeof damagedParent {
  if (parent === undefined || parent instanceof Uint8Array) return parent;
  try {
    return context.openTree(parent);
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
    return damagedParent;
  }
}

function readFiles(tools: ScanTools, task: FilesTask): FilesResult {
  const report = emptyReport();
  const nodes: Node[] = [];
  const attempt = (path: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      report.problems.push(failed(tools, error, path));
    }
  };
  attempt(task.path, () => {
    const folder = openFolder(tools.native, task.path, task.place);
    try {
      for (const name of task.names) {
        const path = joinPath(task.path, name);
        attempt(path, () => nodes.push(readFileNode(tools, folder, task.path, name, report)));
      }
    } finally {
      tools.native.close(folder);
    }
  });
  return { nodes: tools.context.encodeNodes(nodes), report };
}

function readPart(tools: ScanTools, task: PartTask): PartResult {
  const { path, file, start, end } = task;
  const report = emptyReport();
  try {
    const { content, changed } = readOpenPart(tools, task);
    const bytes = end - start;
    tools.context.progress({ bytes, items: end === file.sizeBytes ? 1 : 0 });
    return { content, changed, report };
  } catch (error) {
    if (hasCode(error, 'SOURCE_CHANGED')) return { changed: true, report };
    report.problems.push(failed(tools, error, joinPath(path, file.name)));
    return { changed: false, report };
  }
}

function readOpenPart(
  tools: ScanTools,
  { path, place, file, start, end }: PartTask,
): { content: FilePart; changed: boolean } {
  const folder = openFolder(tools.native, path, place);
  const descriptors = [folder];
  try {
    const descriptor = tools.files.open(folder, file.name);
    descriptors.push(descriptor);
    const content = tools.context.filePart(descriptor, { start, end }, file.sizeBytes);
    const now = tools.native.stat(descriptor, '');
    const changed = now.ctimeNs !== file.ctimeNs || now.sizeBytes !== file.sizeBytes || now.inode !== file.inode;
    return { content, changed };
  } finally {
    for (const descriptor of descriptors) tools.native.close(descriptor);
  }
}

function merge({ context, known }: ScanTools, { listed, large, read }: MergeTask): EncodedNodes {
  const contents = new Map(large.map((file) => [file.name, file]));
  const nodes = context.decodeNodes(listed).flatMap((node) => {
    const file = node.type === 'file' ? contents.get(node.name) : undefined;
    if (file?.content) known.add({ deviceId: node.deviceId!, inode: node.inode! });
    return file !== undefined && file.content === undefined
      ? []
      : [{ ...node, content: file?.content ?? node.content }];
  });
  const others = read.flatMap((encoded) => context.decodeNodes(encoded));
  // Encoded folders without a subtree carry a placeholder that is none.
  return context.encodeNodes([...nodes, ...others].map((node) => ({ ...node, subtree: undefined })));
}
