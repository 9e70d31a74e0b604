import type { EncodedNodes, EntryState, Node, Owner, StoredNodes } from '../../driver/index.ts';
import { TidemarkError } from '../../error.ts';
import { encodeName } from '../../path-bytes.ts';
import { idBytes } from './blob-id.ts';
import type { NodeMatcher } from './node-matcher.ts';
import { isAt, nodeHead, type SplitNodes, splitNodes, treeHead, treeTail } from './split-nodes.ts';
import { decodeNodes, type EncodedNode, encodeNode, encodeNodes, mergeNodes, subtreeFromEnd } from './tree.ts';

interface Tools {
  readonly matcher: NodeMatcher;
  /** Whether the repository has this blob of a file. */
  readonly has: (id: Uint8Array) => boolean;
}

/**
 * The nodes of a tree blob, compared and taken over as bytes: to make objects of them and to encode those again is most of
 * the time that an unchanged file takes. A tree that is written otherwise than ours and restic's is decoded, and none of its nodes
 * counts as the same.
 */
export function storedNodes(encoded: Uint8Array, tools: Tools): StoredNodes {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  const split = splitNodes(bytes);
  const names = split && namesOf(bytes, split);
  return names ? new NodesAsBytes(bytes, split!, names, tools) : new DecodedNodes(decodeNodes(encoded));
}

/** Undefined where they are not sorted, or one comes twice. */
function namesOf(bytes: Buffer, split: SplitNodes): Map<string, number> | undefined {
  const names = new Map<string, number>();
  let last = '';
  for (let at = 0; at < split.count; at++) {
    const name = nameOf(bytes, split, at);
    if (name <= last) return undefined;
    names.set(name, at);
    last = name;
  }
  return names;
}

/** As Latin-1. */
function nameOf(bytes: Buffer, split: SplitNodes, at: number): string {
  const text = bytes.toString('latin1', split.starts[at]! + nodeHead.length, split.nameEnds[at]);
  return text.includes('\\') ? encodeName(nodeAt(bytes, split, at).name).toString('latin1') : text;
}

function nodeAt(bytes: Buffer, { starts, ends }: SplitNodes, at: number): Node {
  return decodeNodes(Buffer.concat([treeHead, bytes.subarray(starts[at], ends[at]), treeTail]))[0]!;
}

const [quote, comma, openList, closeList] = [...Buffer.from('",[]')];
/** A blob id in quotes, and with the comma or bracket behind it. */
const quotedId = idBytes * 2 + 2;
const idStep = quotedId + 1;
const contentHead = Buffer.from(',"content":[');
const folderTail = Buffer.from(',"content":null,"subtree":"');

class NodesAsBytes implements StoredNodes {
  readonly #bytes: Buffer;
  readonly #split: SplitNodes;
  readonly #names: ReadonlyMap<string, number>;
  readonly #tools: Tools;
  readonly #id = Buffer.alloc(idBytes);
  readonly #kept: Uint8Array;
  #keptCount = 0;

  constructor(bytes: Buffer, split: SplitNodes, names: ReadonlyMap<string, number>, tools: Tools) {
    this.#bytes = bytes;
    this.#split = split;
    this.#names = names;
    this.#tools = tools;
    this.#kept = new Uint8Array(split.count);
  }

  find(latin1: string): number {
    return this.#names.get(latin1) ?? -1;
  }

  node(at: number): Node {
    return nodeAt(this.#bytes, this.#split, at);
  }

  isSame(at: number, state: EntryState, owner: Owner): boolean {
    const behindName = this.#split.nameEnds[at]! + 1;
    const isWhole = state.type === 'file' ? this.#firstId(at) >= 0 : this.#hasSubtree(at);
    return isWhole && this.#tools.matcher.matches(this.#bytes, behindName, state, owner);
  }

  hasContent(at: number): boolean {
    const listEnd = this.#split.ends[at]! - 2;
    for (let id = this.#firstId(at); id < listEnd; id += idStep) {
      const digits = this.#bytes.toString('latin1', id + 1, id + quotedId - 1);
      if (this.#id.write(digits, 'hex') !== idBytes || !this.#tools.has(this.#id)) return false;
    }
    return true;
  }

  subtree(at: number): string {
    const start = this.#split.ends[at]! - subtreeFromEnd;
    return this.#bytes.toString('latin1', start, start + idBytes * 2);
  }

  keep(at: number): void {
    this.#keptCount += 1 - this.#kept[at]!;
    this.#kept[at] = 1;
  }

  keepsAlike(at: number, node: Node): boolean {
    const isAlike = this.#bytesOf(at).equals(Buffer.from(encodeNode(node)));
    if (isAlike) this.keep(at);
    return isAlike;
  }

  encode(nodes: readonly Node[]): EncodedNodes {
    return mergeNodes(nodes, this.#keptNodes());
  }

  get subtreeOffsetsIfAll(): Uint32Array | undefined {
    if (this.#keptCount < this.#split.count) return undefined;
    const folders = this.#split.ends.filter((_, at) => this.#hasSubtree(at));
    return Uint32Array.from(folders, (end) => end - subtreeFromEnd);
  }

  #keptNodes(): EncodedNode[] {
    const kept: EncodedNode[] = [];
    for (const [name, at] of this.#names) {
      if (this.#kept[at] === 0) continue;
      kept.push({ name: Buffer.from(name, 'latin1'), bytes: this.#bytesOf(at), hasSubtree: this.#hasSubtree(at) });
    }
    return kept;
  }

  #bytesOf(at: number): Buffer {
    return this.#bytes.subarray(this.#split.starts[at], this.#split.ends[at]);
  }

  /** Where the first id of the content stands, or would; -1 where the node does not end in a list of ids. */
  #firstId(at: number): number {
    const listEnd = this.#split.ends[at]! - 2;
    if (this.#bytes[listEnd] !== closeList) return -1;
    let id = listEnd;
    for (let before = id - 1; this.#bytes[before] === quote; before = id - 1) {
      id = before - quotedId + 1;
      if (this.#bytes[id] !== quote) return -1;
      if (this.#bytes[id - 1] === openList) break;
      if (this.#bytes[id - 1] !== comma) return -1;
      id -= 1;
    }
    return isAt(this.#bytes, id - contentHead.length, contentHead) ? id : -1;
  }

  #hasSubtree(at: number): boolean {
    return isAt(this.#bytes, this.#split.ends[at]! - subtreeFromEnd - folderTail.length, folderTail);
  }
}

class DecodedNodes implements StoredNodes {
  readonly #nodes: readonly Node[];
  readonly #names: ReadonlyMap<string, number>;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#names = new Map(nodes.map(({ name }, at) => [encodeName(name).toString('latin1'), at]));
  }

  find(latin1: string): number {
    return this.#names.get(latin1) ?? -1;
  }

  node(at: number): Node {
    return this.#nodes[at]!;
  }

  isSame(): boolean {
    return false;
  }

  keepsAlike(): boolean {
    return false;
  }

  encode(nodes: readonly Node[]): EncodedNodes {
    return encodeNodes(nodes);
  }

  readonly subtreeOffsetsIfAll = undefined;
  hasContent = nothingIsSame;
  subtree = nothingIsSame;
  keep = nothingIsSame;
}

function nothingIsSame(): never {
  throw new TidemarkError('BUG', 'no node of this folder was found to be the same');
}
