import { type Manifest, manifestFolder } from '../../driver/index.ts';
import { compareNames } from '../../path-bytes.ts';
import { unquoteName } from '../format/go-text.ts';
import { manifestFile } from '../manifest.ts';
import type { BlobWriting } from './blob-writing.ts';
import type { TreeRewriting } from './rewrite-trees.ts';
import type { RawNode } from './tree-document.ts';

const blobBytes = 1024 * 1024;
/** Go's mode of a folder is its permissions and this bit. */
const folderBit = 2 ** 31;

/** The root tree with this manifest in the place of the one it has. Gives its id. */
export async function putManifest(
  root: string,
  manifest: Manifest,
  trees: TreeRewriting,
  blobs: BlobWriting,
): Promise<string> {
  const nodes = (await trees.nodes(root)) ?? [];
  const folder = nodes.find(({ name }) => name === manifestFolder);
  const inside = folder?.subtree == null ? [] : ((await trees.nodes(folder.subtree)) ?? []);
  const file = inside.find(({ name }) => name === manifestFile) ?? {
    ...plain(manifest, 0o600),
    name: manifestFile,
    type: 'file',
  };
  const stored = await storeFile(manifest, blobs);
  const others = inside.filter(({ name }) => name !== manifestFile);
  const subtree = await trees.put(sorted([...others, { ...file, ...stored }]));
  const own = folder ?? { ...plain(manifest, folderBit + 0o700), name: manifestFolder, type: 'dir', content: null };
  return trees.put(sorted([...nodes.filter(({ name }) => name !== manifestFolder), { ...own, subtree }]));
}

async function storeFile(manifest: Manifest, blobs: BlobWriting): Promise<{ size: number; content: string[] }> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const content: string[] = [];
  for (let at = 0; at < bytes.length; at += blobBytes) {
    content.push(await blobs.add('data', bytes.subarray(at, at + blobBytes)));
  }
  return { size: bytes.length, content };
}

function plain({ endedAt: time }: Manifest, mode: number) {
  return { mode, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
}

/** restic refuses a tree whose names are not in order. */
function sorted(nodes: readonly RawNode[]): RawNode[] {
  return nodes.toSorted((a, b) => compareNames(unquoteName(a.name), unquoteName(b.name)));
}
