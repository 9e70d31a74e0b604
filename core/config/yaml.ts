import { setImmediate } from 'node:timers/promises';
import { Composer, type CST, type Document, LineCounter, type YAMLError } from 'yaml';
import type { Diagnostic, Position } from '../diagnostic.ts';
import { mostLevels, tooDeepAt } from './nesting.ts';
import type { YamlDocument } from './yaml-document.ts';
import { parseInPieces } from './yaml-pieces.ts';
import { DocumentReader } from './yaml-reader.ts';

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a file of YAML 1.2 documents into plain values, with the place of each. Aliases are expanded, up to a limit.
 * A file with errors has no documents: what a parser recovers from broken text is a guess.
 */
export async function parseYaml(file: string, text: string): Promise<YamlFile> {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const { documents, errors, diagnostics } = await readDocuments(text, lines, at);
    const said = errors.length > 0 ? syntaxProblems(errors, text, at) : diagnostics;
    return { documents: said.length > 0 ? [] : documents, diagnostics: said };
  } catch (error) {
    if (!(error instanceof NestedTooDeep)) throw error;
    const summary = `values are nested more than ${mostLevels} deep`;
    return { documents: [], diagnostics: [syntaxProblem(summary, at(error.offset))] };
  }
}

const options = { prettyErrors: false, uniqueKeys: false, stringKeys: true } as const;

/** Each document, or piece of one, is read as soon as it is composed, and its nodes are let go. Signals come in between. */
async function readDocuments(text: string, lines: LineCounter, at: (offset: number) => Position) {
  const documents: YamlDocument[] = [];
  const errors: YAMLError[] = [];
  const readers = [new DocumentReader(at)];
  const read = (document: Document, reader: DocumentReader) => {
    errors.push(...document.errors, ...document.warnings);
    documents.push(reader.read(document));
  };
  let next = 0;
  const composer = new Composer({ ...options, lineCounter: lines });
  for (const { token, isPiece } of parseInPieces(text, lines)) {
    rejectTooDeep(token);
    if (isPiece) for (const piece of composePiece(token, lines)) read(piece, readers.at(-1)!);
    else for (const document of composer.next(token)) read(document, readers[next++]!);
    if (isPiece) await setImmediate();
    if (!isPiece && token.type === 'document') readers.push(new DocumentReader(at));
  }
  for (const document of composer.end(true, text.length)) read(document, readers[next++]!);
  return { documents, errors, diagnostics: readers.flatMap((reader) => reader.diagnostics) };
}

function* composePiece(token: CST.Token, lines: LineCounter): Generator<Document> {
  const composer = new Composer({ ...options, lineCounter: lines });
  yield* composer.next(token);
  yield* composer.end();
}

class NestedTooDeep extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super();
    this.offset = offset;
  }
}

/** The composer calls itself for each level. */
function rejectTooDeep(token: CST.Token): void {
  const offset = tooDeepAt(token);
  if (offset !== undefined) throw new NestedTooDeep(offset);
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
