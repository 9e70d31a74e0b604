/**
 * Text as Go's standard library writes it, which is what gives restic's trees their bytes: `encoding/json` strings and
 * `strconv.Quote`. Names hold lone surrogates for bytes that are not UTF-8 (`core/path-bytes.ts`).
 */

const jsonSpecial = /[\u0000-\u001f"\\<>&\u2028\u2029]/;
const jsonSpecials = /[\u0000-\u001f"\\<>&\u2028\u2029]/g;
const jsonShort: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A JSON string with quotes, escaped as Go's encoder does (also `<`, `>`, `&`, U+2028 and U+2029). */
export function jsonString(text: string): string {
  if (!jsonSpecial.test(text)) return `"${text}"`;
  return `"${text.replace(jsonSpecials, (character) => jsonShort[character] ?? `\\u${hex(character.charCodeAt(0), 4)}`)}"`;
}

const plainName = /^[ !#-[\]-~]*$/;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const quoteShort: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** `strconv.Quote` without its outer quotes: how restic stores names. */
export function quoteName(name: string): string {
  if (plainName.test(name)) return name;
  let quoted = '';
  for (const character of name) quoted += quoteCharacter(character);
  return quoted;
}

function quoteCharacter(character: string): string {
  const short = quoteShort[character];
  if (short !== undefined) return short;
  const point = character.codePointAt(0)!;
  if (isEscapedByte(point)) return `\\x${hex(point - 0xdc00, 2)}`;
  if (printable.test(character)) return character;
  if (point < 0x80) return `\\x${hex(point, 2)}`;
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`;
}

const escapes = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs;
const unquoteShort: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The name that `quoteName` (or restic) quoted. Text that is not a valid quotation is taken as it is. */
export function unquoteName(quoted: string): string {
  if (!quoted.includes('\\')) return quoted;
  return quoted.replace(escapes, (_, sequence: string) => unquoteSequence(sequence));
}

function unquoteSequence(sequence: string): string {
  const kind = sequence[0]!;
  if (kind === 'x') return byteCharacter(Number.parseInt(sequence.slice(1), 16));
  if (kind === 'u' || kind === 'U') return String.fromCodePoint(Number.parseInt(sequence.slice(1), 16));
  if (sequence.length === 3) return byteCharacter(Number.parseInt(sequence, 8));
  return unquoteShort[kind] ?? kind;
}

function byteCharacter(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
}

function isEscapedByte(point: number): boolean {
  return point >= 0xdc80 && point <= 0xdcff;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
