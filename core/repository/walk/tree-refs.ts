import { TidemarkError } from '../../error.ts';
import { idBytes, isHexId } from '../format/blob-id.ts';

const head = Buffer.from('{"nodes":[');
const afterName = Buffer.from('","type":"');
const content = Buffer.from(',"content":');
const none = Buffer.from('null');
const subtree = Buffer.from(',"subtree":"');
const nodeStart = Buffer.from('{"name":"');
const tail = Buffer.from(']}');
const quote = 34;
const comma = 44;
const hexDigits = idBytes * 2;

/**
 * The blobs that a tree names, found without making objects of its nodes: in Go's compact encoding (restic's, ours,
 * rustic's) a node is `{"name":"…","type":"…",…,"content":…}` or ends with its subtree, one right behind the other. A
 * quote inside of a string is always escaped, so that these keys cannot be part of a name. Whatever looks different in
 * any way is parsed as JSON. One of these serves many trees, one after the other.
 */
export class TreeRefs {
  /** Ids one after the other, of the tree that was read last. */
  readonly contents = new IdList();
  readonly subtrees = new IdList();

  /** Throws REPOSITORY_CORRUPT for what is no tree, and for one with nodes that this version may not understand. */
  read(encoded: Uint8Array): void {
    this.contents.clear();
    this.subtrees.clear();
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    if (this.#scan(bytes)) return;
    this.contents.clear();
    this.subtrees.clear();
    this.#parse(bytes);
  }

  /** False where the encoding is not the compact one. */
  #scan(bytes: Buffer): boolean {
    if (!startsWith(bytes, head, 0)) return false;
    let at = head.length;
    if (isEnd(bytes, at)) return true;
    for (;;) {
      if (!startsWith(bytes, nodeStart, at)) return false;
      at = this.#scanNode(bytes, at + nodeStart.length);
      if (at < 0 || bytes[at] !== brace) return false;
      if (isEnd(bytes, at + 1)) return true;
      if (bytes[at + 1] !== comma) return false;
      at += 2;
    }
  }

  /** Gives where the node's closing brace should be, or -1. */
  #scanNode(bytes: Buffer, name: number): number {
    const type = bytes.indexOf(afterName, name);
    if (type < 0) return -1;
    const key = bytes.indexOf(content, type);
    if (key < 0 || bytes.subarray(type + 1, key).includes(afterName)) return -1; // without its own, it is the next node's
    const at = this.#scanContent(bytes, key + content.length);
    if (at < 0 || !startsWith(bytes, subtree, at)) return isFolder(bytes, type + afterName.length) ? -1 : at;
    const end = this.subtrees.addHex(bytes, at + subtree.length);
    return end >= 0 && bytes[end] === quote ? end + 1 : -1;
  }

  #scanContent(bytes: Buffer, start: number): number {
    if (startsWith(bytes, none, start)) return start + none.length;
    if (bytes[start] !== openBracket) return -1;
    if (bytes[start + 1] === closeBracket) return start + 2;
    for (let at = start + 1; ; at++) {
      if (bytes[at] !== quote) return -1;
      const end = this.contents.addHex(bytes, at + 1);
      if (end < 0 || bytes[end] !== quote) return -1;
      at = end + 1;
      if (bytes[at] === closeBracket) return at + 1;
      if (bytes[at] !== comma) return -1;
    }
  }

  #parse(bytes: Buffer): void {
    for (const node of nodesOf(bytes)) {
      rejectLookalikes(node);
      for (const id of listOf(node.content)) this.contents.add(checkedId(id));
      if (node.subtree !== undefined && node.subtree !== null) this.subtrees.add(checkedId(node.subtree));
      else if (node.type === 'dir') throw unreadable('a folder without its tree');
    }
  }
}

const brace = 125;
const openBracket = 91;
const closeBracket = 93;

/** Ids of 32 bytes one after the other in one buffer that grows. */
export class IdList {
  #bytes = Buffer.alloc(64 * idBytes);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A view that holds until the next `clear`. */
  at(at: number): Uint8Array {
    return this.#bytes.subarray(at * idBytes, (at + 1) * idBytes);
  }

  clear(): void {
    this.#count = 0;
  }

  add(hex: string): void {
    this.addHex(Buffer.from(hex, 'latin1'), 0);
  }

  /** Adds the id whose 64 digits begin here. Gives where they end, or -1 when it is no id. */
  addHex(digits: Uint8Array, start: number): number {
    if ((this.#count + 1) * idBytes > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    }
    let into = this.#count * idBytes;
    for (let at = start; at < start + hexDigits; at += 2) {
      const byte = (digitValues[digits[at] ?? 0]! << 4) | digitValues[digits[at + 1] ?? 0]!;
      if (byte < 0) return -1;
      this.#bytes[into++] = byte;
    }
    this.#count += 1;
    return start + hexDigits;
  }
}

/** Of what is no lower-case digit: -1, and so is anything joined with it. */
const digitValues = Int32Array.from({ length: 256 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code)),
);

function startsWith(bytes: Buffer, what: Buffer, at: number): boolean {
  for (let index = 0; index < what.length; index++) if (bytes[at + index] !== what[index]) return false;
  return true;
}

/** Older versions end a tree without the line feed. */
function isEnd(bytes: Buffer, at: number): boolean {
  if (!startsWith(bytes, tail, at)) return false;
  const left = bytes.length - at - tail.length;
  return left === 0 || (left === 1 && bytes[bytes.length - 1] === 10);
}

function isFolder(bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at, at + 4) === 'dir"';
}

type ParsedNode = Readonly<Record<string, unknown>>;

function nodesOf(bytes: Buffer): readonly ParsedNode[] {
  let tree: { nodes?: unknown };
  try {
    tree = JSON.parse(bytes.toString('utf8')) ?? {};
  } catch (cause) {
    throw unreadable('a tree that is not JSON', cause);
  }
  const nodes = tree.nodes === null ? [] : tree.nodes;
  if (Array.isArray(nodes) && nodes.every((node) => typeof node === 'object' && node !== null)) return nodes;
  throw unreadable('a tree without a list of nodes');
}

/** Go takes a key whatever its letters' case: restic would read what we would pass over. */
function rejectLookalikes(node: ParsedNode): void {
  for (const key of Object.keys(node)) {
    const lower = key.toLowerCase();
    if (lower !== key && (lower === 'content' || lower === 'subtree')) throw unreadable(`a node with the key ${key}`);
  }
}

function listOf(ids: unknown): readonly unknown[] {
  if (ids === undefined || ids === null) return [];
  if (Array.isArray(ids)) return ids;
  throw unreadable('a node whose content is no list');
}

function checkedId(id: unknown): string {
  if (typeof id === 'string' && isHexId(id)) return id;
  throw unreadable('a node that names no blob');
}

function unreadable(what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `${what} is not understood`, { cause });
}
