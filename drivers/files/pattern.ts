/**
 * Patterns as restic's excludes: `*` and `?` stay within a name, `**` stands for any number of folders, `[a-z]` is a
 * class, `\` quotes. A pattern that starts with `/` names a path from the root; any other matches at any depth
 * (`node_modules`, `cache/*.tmp`). What matches stands for everything below it too.
 */
export interface PathPatterns {
  /** `path` is absolute; `name` is its last part. */
  matches(path: string, name: string): boolean;
  /** False only when nothing below the folder `path` can match. */
  mayMatchBelow(path: string): boolean;
}

export function pathPatterns(patterns: readonly string[]): PathPatterns {
  const parsed = patterns.map(parsePattern);
  const names = union(parsed.filter(isNameOnly).map((pattern) => nameExpression(pattern.parts[0]!)));
  const paths = union(parsed.filter((pattern) => !isNameOnly(pattern)).map(pathExpression));
  const prefixes = parsed.map(prefixTest);
  return {
    matches: (path, name) => (names?.test(name) ?? false) || (paths?.test(path) ?? false),
    mayMatchBelow: (path) => prefixes.some((test) => test(path)),
  };
}

export interface Pattern {
  readonly absolute: boolean;
  readonly parts: readonly string[];
}

export function parsePattern(text: string): Pattern {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  const absolute = text.startsWith('/');
  while (!absolute && parts.length > 1 && parts[0] === '**') parts.shift();
  return { absolute, parts };
}

function isNameOnly({ absolute, parts }: Pattern): boolean {
  return !absolute && parts.length === 1;
}

function union(expressions: readonly string[]): RegExp | undefined {
  return expressions.length === 0 ? undefined : new RegExp(`^(?:${expressions.join('|')})$`, 's');
}

export function pathExpression({ absolute, parts }: Pattern): string {
  if (parts.length === 0) return '/.*';
  const body = parts.map((part, at) => partExpression(part, at === parts.length - 1)).join('');
  return absolute ? `/${body}` : `(?:.*/)?${body}`;
}

function partExpression(part: string, last: boolean): string {
  if (part === '**') return last ? '.+' : '(?:.*/)?';
  return nameExpression(part) + (last ? '' : '/');
}

export function nameExpression(part: string): string {
  let expression = '';
  for (let at = 0; at < part.length; at++) {
    const character = part[at]!;
    const classEnd = character === '[' ? part.indexOf(']', at + 2) : -1;
    if (classEnd > 0) {
      expression += classExpression(part.slice(at + 1, classEnd));
      at = classEnd;
    } else if (character === '\\' && at + 1 < part.length) expression += literal(part[++at]!);
    else if (character === '*') expression += '[^/]*';
    else if (character === '?') expression += '(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^/])';
    else expression += literal(character);
  }
  return expression;
}

function classExpression(body: string): string {
  const negated = /^[!^]/.test(body);
  const safe = (negated ? body.slice(1) : body).replace(/[\\[\]^]/g, '\\$&');
  return `[${negated ? '^' : ''}${safe}]`;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}

/** Compares the parts of a folder's path with as many parts of the pattern. */
function prefixTest({ absolute, parts }: Pattern): (path: string) => boolean {
  if (!absolute) return () => true;
  const tests = parts.map((part) => (part === '**' ? undefined : new RegExp(`^${nameExpression(part)}$`, 's')));
  const anyDepth = tests.indexOf(undefined);
  return (path) => {
    const names = path.split('/').filter((name) => name !== '');
    const fixed = anyDepth < 0 ? tests.length : anyDepth;
    if (anyDepth < 0 && names.length >= tests.length) return false;
    return names.slice(0, fixed).every((name, at) => tests[at]!.test(name));
  };
}
