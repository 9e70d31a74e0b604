import {
  type Content,
  type EncodedNodes,
  type ExtendedAttribute,
  emptyContent,
  type Node,
  nodeTypes,
} from '../../driver/index.ts';
import { TidemarkError } from '../../error.ts';
import { compareNames, decodeName, encodeName } from '../../path-bytes.ts';
import { toHex } from './blob-id.ts';
import { goMode, unixMode } from './go-mode.ts';
import { jsonString, quoteName, unquoteName } from './go-text.ts';
import { formatTime, parseTime } from './go-time.ts';
import { treeHead, treeTail } from './split-nodes.ts';

const noSubtree = '0'.repeat(64);

/**
 * Sorts and encodes the nodes of a folder. A folder without `subtree` gets a gap to be filled by `fillSubtrees`.
 * Two nodes of one name are an error (REPOSITORY_CORRUPT): restic refuses such trees.
 */
export function encodeNodes(nodes: readonly Node[]): EncodedNodes {
  const sorted = [...nodes].sort((a, b) => compareNames(a.name, b.name));
  rejectTwins(sorted);
  const texts: string[] = [];
  const gaps: number[] = [];
  let lengthBytes = treeHead.length;
  for (const node of sorted) {
    const text = encodeNode(node);
    const textBytes = Buffer.byteLength(text);
    if (node.type === 'dir' && node.subtree === undefined) gaps.push(lengthBytes + textBytes - subtreeFromEnd);
    texts.push(text);
    lengthBytes += textBytes + 1;
  }
  const bytes = Buffer.concat([treeHead, Buffer.from(texts.join(',')), treeTail]);
  return { bytes, subtreeOffsets: Uint32Array.from(gaps) };
}

/** The tree blob with the ids of its subtrees in place. Changes the bytes of `encoded`. */
export function fillSubtrees(encoded: EncodedNodes, subtrees: readonly string[]): Buffer {
  const bytes = Buffer.from(encoded.bytes.buffer, encoded.bytes.byteOffset, encoded.bytes.length);
  if (subtrees.length !== encoded.subtreeOffsets.length) {
    throw new TidemarkError(
      'BUG',
      `a folder has ${encoded.subtreeOffsets.length} sub folders but got ${subtrees.length} trees`,
    );
  }
  for (const [at, id] of subtrees.entries()) bytes.write(id, encoded.subtreeOffsets[at]!, 'latin1');
  return bytes;
}

/** A node that is there in bytes already. */
export interface EncodedNode {
  readonly name: Uint8Array;
  readonly bytes: Uint8Array;
  readonly hasSubtree: boolean;
}

/** As `encodeNodes`, of new nodes and of sorted ones that are encoded. Each encoded folder's subtree is a gap, too. */
export function mergeNodes(nodes: readonly Node[], encoded: readonly EncodedNode[]): EncodedNodes {
  const all = [...nodes.map(newNode), ...encoded].sort((a, b) => Buffer.compare(a.name, b.name));
  const parts: Uint8Array[] = [treeHead];
  const gaps: number[] = [];
  let lengthBytes = treeHead.length;
  for (const [at, { name, bytes, hasSubtree }] of all.entries()) {
    if (at > 0 && Buffer.compare(name, all[at - 1]!.name) === 0) throw twins(decodeName(Buffer.from(name)));
    lengthBytes += bytes.length;
    if (hasSubtree) gaps.push(lengthBytes - subtreeFromEnd);
    parts.push(bytes, at < all.length - 1 ? comma : treeTail);
    lengthBytes += 1;
  }
  if (all.length === 0) parts.push(treeTail);
  return { bytes: Buffer.concat(parts), subtreeOffsets: Uint32Array.from(gaps) };
}

const comma = Buffer.from(',');

function newNode(node: Node): EncodedNode {
  const hasSubtree = node.type === 'dir' && node.subtree === undefined;
  return { name: encodeName(node.name), bytes: Buffer.from(encodeNode(node)), hasSubtree };
}

/** `"}` follow the 64 digits. */
export const subtreeFromEnd = 66;

export function encodeNode(node: Node): string {
  let text = `{"name":${jsonString(quoteName(node.name))},"type":"${node.type}"`;
  const mode = goMode(node.type, node.mode);
  if (mode !== 0) text += `,"mode":${mode}`;
  text += `,"mtime":"${formatTime(node.mtimeNs)}","atime":"${formatTime(node.atimeNs)}","ctime":"${formatTime(node.ctimeNs)}"`;
  text += `,"uid":${node.uid},"gid":${node.gid}`;
  if (node.user) text += `,"user":${jsonString(node.user)}`;
  if (node.group) text += `,"group":${jsonString(node.group)}`;
  if (node.inode) text += `,"inode":${node.inode}`;
  if (node.deviceId) text += `,"device_id":${node.deviceId}`;
  if (node.content?.sizeBytes) text += `,"size":${node.content.sizeBytes}`;
  if (node.links) text += `,"links":${node.links}`;
  if (node.linkTarget !== undefined) text += linkTarget(node.linkTarget);
  if (node.extendedAttributes?.length)
    text += `,"extended_attributes":[${node.extendedAttributes.map(attribute).join(',')}]`;
  if (node.device) text += `,"device":${node.device}`;
  text += `,"content":${node.type === 'file' ? contentIds(node.content ?? emptyContent) : 'null'}`;
  if (node.type === 'dir') text += `,"subtree":"${node.subtree ?? noSubtree}"`;
  return `${text}}`;
}

/** Bytes that are not UTF-8 go to `linktarget_raw` (restic since 0.16); older versions see replacement characters. */
function linkTarget(target: string): string {
  const clean = jsonString(target.toWellFormed());
  if (target.isWellFormed()) return `,"linktarget":${clean}`;
  return `,"linktarget":${clean},"linktarget_raw":"${encodeName(target).toString('base64')}"`;
}

function attribute(one: ExtendedAttribute): string {
  const value = Buffer.from(one.value.buffer, one.value.byteOffset, one.value.length).toString('base64');
  return `{"name":${jsonString(one.name)},"value":"${value}"}`;
}

function contentIds(content: Content): string {
  const { blobs } = content;
  const hex = toHex(blobs);
  if (hex.length === 64) return `["${hex}"]`;
  const ids: string[] = [];
  for (let at = 0; at < hex.length; at += 64) ids.push(`"${hex.slice(at, at + 64)}"`);
  return `[${ids.join(',')}]`;
}

function rejectTwins(sorted: readonly Node[]): void {
  for (let at = 1; at < sorted.length; at++) {
    if (sorted[at]!.name !== sorted[at - 1]!.name) continue;
    throw twins(sorted[at]!.name);
  }
}

function twins(name: string): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `a folder has two entries named ${quoteName(name)}`);
}

/** A node as JSON.parse gives it; integers above 2^53 come as bigint (see `parseTree`). */
interface StoredNode {
  name: string;
  type: Node['type'];
  mode?: number;
  mtime?: string;
  atime?: string;
  ctime?: string;
  uid?: number;
  gid?: number;
  user?: string;
  group?: string;
  inode?: number | bigint;
  device_id?: number | bigint;
  size?: number;
  links?: number;
  linktarget?: string;
  linktarget_raw?: string;
  extended_attributes?: { name: string; value: string | null }[];
  device?: number | bigint;
  content?: string[] | null;
  subtree?: string;
}

/** The nodes of a tree blob, ours or restic's. Throws REPOSITORY_CORRUPT. */
export function decodeNodes(encoded: Uint8Array): Node[] {
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('utf8');
  return parseTree(text).map(decodeNode);
}

function parseTree(text: string): StoredNode[] {
  try {
    const { nodes } = JSON.parse(text) as { nodes?: StoredNode[] | null };
    if (nodes === undefined) throw new TypeError('there is no list of nodes');
    return nodes?.some(losesDigits) ? exactTree(text) : (nodes ?? []);
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'a tree of the backup is not readable', { cause });
  }
}

/** Inode and device numbers are 64 bits wide; JSON.parse rounds what is above 2^53. */
function losesDigits(node: StoredNode): boolean {
  return unsafe(node.inode) || unsafe(node.device_id) || unsafe(node.device);
}

function unsafe(value: number | bigint | undefined): boolean {
  return value !== undefined && !Number.isSafeInteger(value);
}

function exactTree(text: string): StoredNode[] {
  const wide = new Set(['inode', 'device_id', 'device']);
  const tree = JSON.parse(text, (key, value, context?: { source?: string }) =>
    wide.has(key) && context?.source !== undefined ? BigInt(context.source) : value,
  ) as { nodes: StoredNode[] };
  return tree.nodes;
}

function decodeNode(stored: StoredNode): Node {
  const type = nodeTypes.includes(stored.type) ? stored.type : undefined;
  if (type === undefined) throw new TidemarkError('REPOSITORY_CORRUPT', `a node has the unknown type ${stored.type}`);
  return {
    name: unquoteName(stored.name),
    type,
    mode: unixMode(stored.mode ?? 0),
    mtimeNs: timeOf(stored.mtime),
    atimeNs: timeOf(stored.atime),
    ctimeNs: timeOf(stored.ctime),
    uid: stored.uid ?? 0,
    gid: stored.gid ?? 0,
    user: stored.user,
    group: stored.group,
    inode: wideNumber(stored.inode),
    deviceId: wideNumber(stored.device_id),
    links: stored.links,
    content: type === 'file' ? contentOf(stored) : undefined,
    linkTarget: linkTargetOf(stored),
    device: wideNumber(stored.device),
    extendedAttributes: stored.extended_attributes?.map(attributeOf),
    subtree: stored.subtree,
  };
}

function timeOf(text: string | undefined): bigint {
  return (text === undefined ? undefined : parseTime(text)) ?? 0n;
}

function wideNumber(value: number | bigint | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

function contentOf(stored: StoredNode): Content {
  const hex = (stored.content ?? []).join('');
  const blobs = Buffer.allocUnsafeSlow(hex.length / 2); // not from the pool: a copy to a thread takes the whole buffer
  blobs.write(hex, 'hex');
  return { blobs, sizeBytes: stored.size ?? 0 };
}

function linkTargetOf(stored: StoredNode): string | undefined {
  if (stored.linktarget_raw !== undefined) return decodeName(Buffer.from(stored.linktarget_raw, 'base64'));
  return stored.linktarget;
}

function attributeOf(one: { name: string; value: string | null }): ExtendedAttribute {
  return { name: one.name, value: Buffer.from(one.value ?? '', 'base64') };
}
