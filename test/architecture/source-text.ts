export interface SourceText {
  /** The text with comments blanked. */
  readonly withoutComments: string;
  /** The text with comments and the insides of strings, templates and regular expressions blanked. */
  readonly code: string;
}

type Kind = 'code' | 'comment' | 'string';

const tokens = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    String.raw`(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")`,
    // A slash begins a regular expression where a value may begin, and divides elsewhere.
    String.raw`(?<=(?:^|[(,=:[!&|?{};+]|=>|\breturn|\bcase)\s*)(?<regex>\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*)`,
    '(?<template>`)',
    String.raw`(?<open>\{)`,
    String.raw`(?<close>\})`,
  ].join('|'),
  'g',
);

/** Tells code from comments and strings, well enough for rules about names and imports. Lines and columns stay. */
export function readSourceText(text: string): SourceText {
  const parts = [...split(text)];
  const view = (hidden: Kind[]) => parts.map(([kind, part]) => (hidden.includes(kind) ? blank(part) : part)).join('');
  return { withoutComments: view(['comment']), code: view(['comment', 'string']) };
}

function* split(text: string): Generator<[Kind, string]> {
  const braces: ('block' | 'template')[] = [];
  let at = 0;
  while (at < text.length) {
    tokens.lastIndex = at;
    const match = tokens.exec(text);
    if (match === null) break;
    yield ['code', text.slice(at, match.index)];
    at = match.index + match[0].length;
    const { comment, string, regex, template, open } = match.groups!;
    if (comment !== undefined) yield ['comment', comment];
    else if (string !== undefined || regex !== undefined) yield ['string', match[0]];
    else if (open !== undefined) braces.push('block');
    if (open !== undefined) yield ['code', '{'];
    const closes = match.groups!.close !== undefined ? braces.pop() : undefined;
    if (closes === 'block') yield ['code', '}'];
    if (template === undefined && closes !== 'template') continue;
    const end = templateEnd(text, at);
    yield ['string', text.slice(at - 1, end.at)];
    at = end.at;
    if (end.by === 'expression') braces.push('template');
  }
  yield ['code', text.slice(at)];
}

/** Where the literal part of a template that goes on at `from` ends: behind its last quote or behind a `${`. */
function templateEnd(text: string, from: number): { at: number; by: 'quote' | 'expression' } {
  const end = /(?:\\[\s\S]|[^\\`$]|\$(?!\{))*(`|\$\{|$)/y;
  end.lastIndex = from;
  const match = end.exec(text);
  return { at: end.lastIndex, by: match?.[1] === '${' ? 'expression' : 'quote' };
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
