import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Diagnostic, Position } from '../diagnostic.ts';
import { mostLevels, tooDeepAt } from './nesting.ts';

export type Path = readonly (string | number)[];

/** Where the field at `path` stands: its key, or its value. The nearest enclosing place when there is no such field. */
export type Place = (path: Path, part: 'key' | 'value') => Position;

export interface YamlDocument {
  readonly value: unknown;
  readonly place: Place;
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a file of YAML 1.2 documents into plain values, with the place of each. Aliases are expanded, up to a limit.
 * A file with errors has no documents: what a parser recovers from broken text is a guess.
 */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const parsed = compose(text, lines);
    const errors = parsed.flatMap((one) => [...one.errors, ...one.warnings]);
    if (errors.length > 0) return { documents: [], diagnostics: syntaxProblems(errors, text, at) };
    const readers = parsed.map((one) => new DocumentReader(one, at));
    const documents = readers.map((reader) => reader.read());
    const diagnostics = readers.flatMap((reader) => reader.diagnostics);
    return { documents: diagnostics.length > 0 ? [] : documents, diagnostics };
  } catch (error) {
    if (!(error instanceof NestedTooDeep)) throw error;
    const summary = `values are nested more than ${mostLevels} deep`;
    return { documents: [], diagnostics: [syntaxProblem(summary, at(error.offset))] };
  }
}

function compose(text: string, lines: LineCounter): Document[] {
  const tokens = new Parser(lines.addNewLine).parse(text);
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false, stringKeys: true });
  return [...composer.compose(notTooDeep(tokens), true, text.length)];
}

class NestedTooDeep extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super();
    this.offset = offset;
  }
}

/** The composer calls itself for each level. */
function* notTooDeep(documents: Iterable<CST.Token>): Generator<CST.Token> {
  for (const document of documents) {
    const offset = tooDeepAt(document);
    if (offset !== undefined) throw new NestedTooDeep(offset);
    yield document;
  }
}

/** Most values that the aliases of a document may stand for together: a few lines can mean billions. */
const aliasedValuesLimit = 100_000;

const noMergeKeys = '`<<` is not supported: YAML 1.2 has no merge keys';
const insteadOfMerging = 'Write the fields out, or use an alias for a whole value: `retry: *again`.';

class DocumentReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #document: Document;
  readonly #at: (offset: number) => Position;
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  #aliasedValues = 0;

  constructor(document: Document, at: (offset: number) => Position) {
    this.#document = document;
    this.#at = at;
  }

  read(): YamlDocument {
    const value = this.#plain(this.#document.contents);
    return { value, place: (path, part) => this.#place(path, part) };
  }

  #plain(node: Node | null): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#aliased(node);
    if (this.#aliasDepth > 0) this.#aliasedValues += 1;
    else if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return node.value;
    this.#open.add(node);
    const value = isMap(node) ? this.#mapping(node) : this.#list(node as YAMLSeq);
    this.#open.delete(node);
    return value;
  }

  #mapping(map: YAMLMap): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const places = new Map<string, Node>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      const first = places.get(key);
      if (key === '__proto__') this.#report('unknown-key', `\`${key}\` cannot be a key`, pair.key as Node);
      else if (key === '<<') this.#report('unknown-key', noMergeKeys, pair.key as Node, insteadOfMerging);
      else if (first) this.#duplicate(key, first, pair.key as Node);
      else value[key] = this.#plain(pair.value as Node | null);
      if (!first) places.set(key, pair.key as Node);
    }
    return value;
  }

  #list(list: YAMLSeq): unknown[] {
    return list.items.map((item) => this.#plain(item as Node | null));
  }

  #aliased(alias: Alias): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source);
    if (target === undefined)
      return this.#report('yaml-syntax', `there is no anchor \`&${alias.source}\` above`, alias);
    if (this.#open.has(target)) return this.#report('yaml-syntax', `\`*${alias.source}\` contains itself`, alias);
    if (this.#aliasedValues > aliasedValuesLimit) return undefined;
    this.#targets.set(alias, target);
    this.#aliasDepth += 1;
    const value = this.#plain(target);
    this.#aliasDepth -= 1;
    if (this.#aliasDepth === 0 && this.#aliasedValues > aliasedValuesLimit) {
      this.#report('yaml-syntax', `aliases stand for more than ${aliasedValuesLimit} values`, alias);
    }
    return value;
  }

  #duplicate(key: string, first: Node, second: Node): void {
    if (this.#aliasDepth > 0) return;
    const { line, column } = this.#at(first.range?.[0] ?? 0);
    this.#report('duplicate', `\`${key}\` stands here and at line ${line}, column ${column}`, second);
  }

  #report(code: string, summary: string, node: Node, hint?: string): undefined {
    this.diagnostics.push({ severity: 'error', code, summary, hint, position: this.#at(node.range?.[0] ?? 0) });
  }

  #place(path: Path, part: 'key' | 'value'): Position {
    let key: Node | null = null;
    let node: Node | null = this.#document.contents;
    for (const step of path) {
      const pair = this.#child(node, step);
      if (pair === undefined) break;
      [key, node] = [pair.key ?? pair.value, pair.value];
    }
    const wanted = part === 'key' ? (key ?? node) : (node ?? key);
    return this.#at(wanted?.range?.[0] ?? 0);
  }

  #child(node: Node | null, step: string | number): { key?: Node; value: Node | null } | undefined {
    const parent = isAlias(node) ? this.#targets.get(node) : node;
    if (isSeq(parent)) {
      const item = parent.items[Number(step)] as Node | undefined;
      return item && { value: item };
    }
    const pair = isMap(parent) ? parent.items.find((one) => keyOf(one) === String(step)) : undefined;
    return pair && { key: pair.key as Node, value: pair.value as Node | null };
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

/** A parser that has lost its way finds each further token unexpected: only the first such complaint means something. */
function syntaxProblems(errors: readonly YAMLError[], text: string, at: (offset: number) => Position): Diagnostic[] {
  const told = errors.filter((error, index) => index === 0 || error.code !== 'UNEXPECTED_TOKEN');
  return told.map((error) => syntaxProblem(lowerFirst(error.message), at(error.pos[0]), text));
}

function syntaxProblem(summary: string, position: Position, text = ''): Diagnostic {
  const line = text.split('\n', position.line)[position.line - 1] ?? '';
  const hint = /\{.*[\s:,]\$\{/.test(line) ? 'Between braces, write references in quotes: "${file:/path}".' : undefined;
  return { severity: 'error', code: 'yaml-syntax', summary, hint, position };
}

function lowerFirst(message: string): string {
  return (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, '');
}
