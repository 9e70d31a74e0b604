import { type CST, Lexer, type LineCounter, Parser } from 'yaml';
import { collections } from './types.ts';

/** What the parser has finished: a document, what stands between two, or a piece of a document that is still being read. */
export interface Parsed {
  readonly token: CST.Token;
  readonly isPiece: boolean;
}

/**
 * Parses a text. Of a long collection in block style, resources are given in pieces as soon as they are complete, each as
 * a document `<collection>: <some resources>`, and taken out of the document that comes last: the parser's tokens take
 * some fifty times the bytes of the text, and need not be there all at once.
 */
export function* parseInPieces(text: string, lines: LineCounter): Generator<Parsed> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const whole = (token: CST.Token): Parsed => ({ token, isPiece: false });
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) yield whole(token);
    const piece = takePiece(parser.stack);
    if (piece !== undefined) yield { token: piece, isPiece: true };
  }
  for (const token of parser.end()) yield whole(token);
}

const pieceItems = 16;
/** The parser still looks at the one that it reads, and at the one before. */
const itemsInUse = 2;

function takePiece([document, top, resources]: readonly CST.Token[]): CST.Document | undefined {
  if (document?.type !== 'document' || top?.type !== 'block-map' || resources?.type !== 'block-map') return undefined;
  if (resources.items.length < pieceItems) return undefined;
  const collection = top.items.at(-1);
  if (collection === undefined || !isCollection(collection)) return undefined;
  const items = resources.items.splice(0, resources.items.length - itemsInUse);
  const piece = beginningAt(items, resources);
  resources.offset = offsetOf(resources.items[0]!);
  const value = beginningAt([{ ...collection, value: piece } as Item], top);
  return { type: 'document', offset: document.offset, start: [], value };
}

type Item = CST.BlockMap['items'][number];

/** A map begins where its first item does: from there the composer measures how far its key may be from its colon. */
function beginningAt(items: Item[], like: CST.BlockMap): CST.BlockMap {
  return { ...like, offset: offsetOf(items[0]!), items };
}

function offsetOf({ start, key }: Item): number {
  return start[0]?.offset ?? key?.offset ?? 0;
}

/** With an anchor or a tag, the collection is more than its parts. */
function isCollection({ key, sep = [] }: Item): boolean {
  const name = key?.type === 'scalar' ? key.source : '';
  return collections.some((one) => one === name) && sep.every(({ type }) => type !== 'anchor' && type !== 'tag');
}
