/** A node of a tree as it stands there, whatever fields it has. */
export interface RawNode {
  readonly name: string;
  readonly type: string;
  readonly content?: readonly string[] | null;
  readonly subtree?: string | null;
  /** As it was written: see `rawNodes`. */
  readonly size?: { readonly rawJSON: string } | number;
}

/** Of a file; 0 where it says none, as Go leaves it out. */
export function sizeOf({ type, size = 0 }: RawNode): number {
  return type === 'file' ? Number(typeof size === 'number' ? size : size.rawJSON) : 0;
}

declare global {
  interface JSON {
    /** ECMAScript 2025: a number as it was written. */
    rawJSON(text: string): unknown;
  }
}

/** The nodes of a tree blob, with every number as it was written. Undefined where it is no tree. */
export function rawNodes(encoded: Uint8Array): readonly RawNode[] | undefined {
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('utf8');
  try {
    const { nodes } = JSON.parse(text, (_, value, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value,
    );
    return nodes === null ? [] : Array.isArray(nodes) ? nodes : undefined;
  } catch {
    return undefined;
  }
}

/** As Go writes it: these characters stand in strings only. */
export function encodeRawNodes(nodes: readonly RawNode[]): Buffer {
  const json = JSON.stringify({ nodes }).replaceAll(/[<>&\u2028\u2029]/g, escaped);
  return Buffer.from(`${json}\n`);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
