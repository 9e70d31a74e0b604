import type { CST } from 'yaml';

/** Far more than any field needs, and far less than what a parser that calls itself can take. */
export const mostLevels = 64;

/** Where the values of a parsed but not yet composed document are nested deeper than that, if anywhere. */
export function tooDeepAt(document: CST.Token): number | undefined {
  const waiting: { readonly token: CST.Token; readonly level: number }[] = [{ token: document, level: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, level } = next;
    if (level > mostLevels) return token.offset;
    for (const inner of within(token)) waiting.push({ token: inner, level: level + 1 });
  }
  return undefined;
}

function* within(token: CST.Token): Generator<CST.Token> {
  if (token.type === 'document' && token.value) yield token.value;
  if (!('items' in token)) return;
  for (const { key, value } of token.items) {
    if (key) yield key;
    if (value) yield value;
  }
}
