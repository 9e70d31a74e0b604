import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Diagnostic, Position } from '../diagnostic.ts';
import type { Path, YamlDocument } from './yaml-document.ts';

/** Most values that the aliases of a document may stand for together: a few lines can mean billions. */
const aliasedValuesLimit = 100_000;

const noMergeKeys = '`<<` is not supported: YAML 1.2 has no merge keys';
const insteadOfMerging = 'Write the fields out, or use an alias for a whole value: `retry: *again`.';

/**
 * Where a value and its key stand, and what is in it: by key, or by place in a list. Offsets in the text. There is one
 * for each value of a configuration, so they are small.
 */
interface Spot {
  readonly keyAt: number;
  readonly at: number;
  readonly inner: Inner | undefined;
}

type Inner = ReadonlyMap<string, Spot> | readonly Spot[];

interface Read {
  readonly value: unknown;
  readonly spot: Spot;
}

/** Reads one document, whole or in pieces, into plain values; keeps of its nodes only those with an anchor. */
export class DocumentReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #at: (offset: number) => Position;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  #aliasedValues = 0;

  constructor(at: (offset: number) => Position) {
    this.#at = at;
  }

  read({ contents }: Document): YamlDocument {
    const { value, spot } = this.#read(contents, contents?.range?.[0] ?? 0);
    return { value, place: (path, part) => this.#at(offsetIn(spot, path, part)) };
  }

  /** A value that is not written stands at its key. */
  #read(node: Node | null, keyAt: number): Read {
    const at = node?.range?.[0] ?? keyAt;
    if (node === null) return { value: null, spot: { keyAt, at, inner: undefined } };
    if (isAlias(node)) return this.#aliased(node, keyAt, at);
    if (this.#aliasDepth > 0) this.#aliasedValues += 1;
    else if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return { value: node.value, spot: { keyAt, at, inner: undefined } };
    this.#open.add(node);
    const { value, inner } = isMap(node) ? this.#mapping(node, at) : this.#list(node as YAMLSeq, at);
    this.#open.delete(node);
    return { value, spot: { keyAt, at, inner } };
  }

  #mapping(map: YAMLMap, at: number): { value: unknown; inner: Inner } {
    const value: Record<string, unknown> = {};
    const inner = new Map<string, Spot>();
    for (const pair of map.items) {
      const [key, keyAt] = [keyOf(pair), (pair.key as Node).range?.[0] ?? at];
      const first = inner.get(key);
      if (first !== undefined) {
        this.#duplicate(key, first.keyAt, keyAt);
        continue;
      }
      this.#rejectKey(key, keyAt);
      const { value: read, spot } = this.#read(pair.value as Node | null, keyAt);
      if (key !== '__proto__') value[key] = read;
      inner.set(key, spot);
    }
    return { value, inner };
  }

  #rejectKey(key: string, at: number): void {
    if (key === '__proto__') this.#report('unknown-key', `\`${key}\` cannot be a key`, at);
    if (key === '<<') this.#report('unknown-key', noMergeKeys, at, insteadOfMerging);
  }

  #list(list: YAMLSeq, at: number): { value: unknown; inner: Inner } {
    const items = list.items as (Node | null)[];
    const read = items.map((item) => this.#read(item, item?.range?.[0] ?? at));
    return { value: read.map(({ value }) => value), inner: read.map(({ spot }) => spot) };
  }

  #aliased(alias: Alias, keyAt: number, at: number): Read {
    const target = this.#anchors.get(alias.source);
    const nothing = { value: undefined, spot: { keyAt, at, inner: undefined } };
    if (target === undefined) {
      this.#report('yaml-syntax', `there is no anchor \`&${alias.source}\` above`, at);
      return nothing;
    }
    if (this.#open.has(target)) {
      this.#report('yaml-syntax', `\`*${alias.source}\` contains itself`, at);
      return nothing;
    }
    if (this.#aliasedValues > aliasedValuesLimit) return nothing;
    this.#aliasDepth += 1;
    const { value, spot } = this.#read(target, at);
    this.#aliasDepth -= 1;
    if (this.#aliasDepth === 0 && this.#aliasedValues > aliasedValuesLimit) {
      this.#report('yaml-syntax', `aliases stand for more than ${aliasedValuesLimit} values`, at);
    }
    return { value, spot: { keyAt, at, inner: spot.inner } };
  }

  #duplicate(key: string, firstAt: number, secondAt: number): void {
    if (this.#aliasDepth > 0) return;
    const { line, column } = this.#at(firstAt);
    this.#report('duplicate', `\`${key}\` stands here and at line ${line}, column ${column}`, secondAt);
  }

  #report(code: string, summary: string, at: number, hint?: string): void {
    this.diagnostics.push({ severity: 'error', code, summary, hint, position: this.#at(at) });
  }
}

function offsetIn(spot: Spot, path: Path, part: 'key' | 'value'): number {
  let found = spot;
  for (const step of path) {
    const next = innerAt(found.inner, step);
    if (next === undefined) break;
    found = next;
  }
  return part === 'key' ? found.keyAt : found.at;
}

function innerAt(inner: Inner | undefined, step: string | number): Spot | undefined {
  return inner instanceof Map ? inner.get(String(step)) : (inner as readonly Spot[] | undefined)?.[Number(step)];
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
