import { styleText } from 'node:util';

/** How text is shown at one place: with which colours, how wide, and when is now. */
export interface Look {
  readonly colour: boolean;
  readonly columns: number;
  readonly now: Date;
}

export type Paint = Parameters<typeof styleText>[0];

export function paint(look: Look, format: Paint, text: string): string {
  return look.colour ? styleText(format, text, { validateStream: false }) : text;
}

/** Text from elsewhere, such as a file name: what would move the cursor or is not valid text is shown as an escape. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, escaped);
}

/** As `printable`, and what is far too long to read, such as a path of 10 KB, without its middle. */
export function brief(text: string): string {
  if (text.length <= mostCharacters) return printable(text);
  const half = mostCharacters / 2;
  return `${printable(text.slice(0, half))} ... ${printable(text.slice(-half))}`;
}

const mostCharacters = 1_000;

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
