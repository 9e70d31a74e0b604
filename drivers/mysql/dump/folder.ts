import type { BackupSink, Content, Node } from '../../../core/driver/index.ts';

/** A tree of files in the making; stored bottom up by `storeFolder`. */
export class Folder {
  readonly files = new Map<string, Content>();
  readonly folders = new Map<string, Folder>();

  /** Puts a file at a path below this folder, making the folders on the way. */
  add(path: string, content: Content): void {
    const slash = path.indexOf('/');
    if (slash < 0) this.files.set(path, content);
    else this.folder(path.slice(0, slash)).add(path.slice(slash + 1), content);
  }

  /** Forgets the folder at a path, with all that is in it. */
  remove(path: string): void {
    const slash = path.indexOf('/');
    if (slash < 0) this.folders.delete(path);
    else this.folders.get(path.slice(0, slash))?.remove(path.slice(slash + 1));
  }

  folder(name: string): Folder {
    const existing = this.folders.get(name);
    if (existing !== undefined) return existing;
    const made = new Folder();
    this.folders.set(name, made);
    return made;
  }
}

/** Stores all folders below `folder` and gives its own nodes. */
export async function storeFolder(folder: Folder, sink: BackupSink, time: Date): Promise<Node[]> {
  const nodes: Node[] = [];
  for (const [name, content] of folder.files)
    nodes.push({ ...commonFields(time), name, type: 'file', mode: 0o600, content });
  for (const [name, child] of folder.folders) {
    const subtree = await sink.tree(await storeFolder(child, sink, time));
    nodes.push({ ...commonFields(time), name, type: 'dir', mode: 0o700, subtree });
  }
  return nodes;
}

function commonFields(time: Date) {
  const timeNs = BigInt(time.getTime()) * 1_000_000n;
  return {
    mtimeNs: timeNs,
    atimeNs: timeNs,
    ctimeNs: timeNs,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
  };
}
