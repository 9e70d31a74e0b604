/** Where the nodes of a tree blob lie in it: their first byte, the quote after the name, the byte behind them, per node. */
export interface SplitNodes {
  readonly count: number;
  readonly starts: readonly number[];
  readonly nameEnds: readonly number[];
  readonly ends: readonly number[];
}

export const treeHead = Buffer.from('{"nodes":[');
export const treeTail = Buffer.from(']}\n');
/** What a node begins with. */
export const nodeHead = Buffer.from('{"name":"');

const [quote, backslash, open, close, openList, closeList, comma] = [...Buffer.from('"\\{}[],')];

/** Undefined where the bytes are not as restic and we write them; whether they can be read is not known then. */
export function splitNodes(bytes: Buffer): SplitNodes | undefined {
  const listEnd = bytes.length - treeTail.length;
  if (!isAt(bytes, 0, treeHead) || !isAt(bytes, listEnd, treeTail)) return undefined;
  const [starts, nameEnds, ends]: [number[], number[], number[]] = [[], [], []];
  for (let at = treeHead.length; at < listEnd; at++) {
    if (!isAt(bytes, at, nodeHead)) return undefined;
    const nameEnd = stringEnd(bytes, at + nodeHead.length);
    const end = objectEnd(bytes, nameEnd + 1);
    if (end > listEnd || (end < listEnd && bytes[end] !== comma)) return undefined;
    starts.push(at);
    nameEnds.push(nameEnd);
    ends.push(end);
    at = end;
    if (end === listEnd - 1) return undefined; // a comma that nothing follows
  }
  return { count: starts.length, starts, nameEnds, ends };
}

export function isAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at < 0) return false;
  for (let one = 0; one < text.length; one++) if (bytes[at + one] !== text[one]) return false;
  return true;
}

/** The quote that ends the string of which `at` is the first character. */
function stringEnd(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

/** Behind the bracket that closes the object in which `at` lies, outside of strings. */
function objectEnd(bytes: Uint8Array, at: number): number {
  for (let depth = 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = stringEnd(bytes, at + 1);
    else if (byte === open || byte === openList) depth += 1;
    else if (byte === close || byte === closeList) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return bytes.length;
}
