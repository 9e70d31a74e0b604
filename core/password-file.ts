import { isUtf8 } from 'node:buffer';
import { TidemarkError } from './error.ts';

/**
 * The password in the bytes of a file as restic's `--password-file` takes it (its `textfile.Decode`, then Go's
 * `strings.TrimSpace`): a byte order mark goes, UTF-16 becomes UTF-8, white space at both ends goes, and the rest is
 * bytes, text or not. Throws SECRET_UNREADABLE for UTF-16 that is not whole: what it decodes to, other files do too.
 */
export function passwordInFile(bytes: Uint8Array): Uint8Array {
  return trimSpace(decodeMarked(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
}

const marks = { utf8: Buffer.of(0xef, 0xbb, 0xbf), big: Buffer.of(0xfe, 0xff), little: Buffer.of(0xff, 0xfe) };

function decodeMarked(bytes: Buffer): Buffer {
  if (startsWith(bytes, marks.utf8)) return bytes.subarray(marks.utf8.length);
  if (startsWith(bytes, marks.little)) return fromUtf16(bytes.subarray(2));
  if (startsWith(bytes, marks.big)) return fromUtf16(Buffer.from(bytes.subarray(2, bytes.length & ~1)).swap16(), bytes);
  return bytes;
}

function fromUtf16(little: Buffer, whole: Buffer = little): Buffer {
  const text = little.toString('utf16le');
  if (whole.length % 2 === 0 && text.isWellFormed()) return Buffer.from(text, 'utf8');
  throw new TidemarkError('SECRET_UNREADABLE', 'the password file begins as UTF-16 does, and is not UTF-16', {
    hint: 'Make another one: random bytes that begin with FF FE or FE FF are taken for text.',
  });
}

/** What Go's `unicode.IsSpace` knows, in UTF-8. */
const spaces = [
  ...[
    '\t',
    '\n',
    '\v',
    '\f',
    '\r',
    ' ',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u2028',
    '\u2029',
    '\u202f',
    '\u205f',
    '\u3000',
  ],
  ...Array.from({ length: 11 }, (_, at) => String.fromCharCode(0x2000 + at)),
].map((space) => Buffer.from(space, 'utf8'));

function trimSpace(bytes: Buffer): Buffer {
  let trimmed = bytes;
  for (let space = spaceAt(trimmed, startsWith); space !== undefined; space = spaceAt(trimmed, startsWith)) {
    trimmed = trimmed.subarray(space.length);
  }
  for (let space = spaceAt(trimmed, endsWith); space !== undefined; space = spaceAt(trimmed, endsWith)) {
    trimmed = trimmed.subarray(0, trimmed.length - space.length);
  }
  return trimmed;
}

function spaceAt(bytes: Buffer, at: (bytes: Buffer, part: Buffer) => boolean): Buffer | undefined {
  return spaces.find((space) => at(bytes, space));
}

function startsWith(bytes: Buffer, part: Buffer): boolean {
  return bytes.subarray(0, part.length).equals(part);
}

function endsWith(bytes: Buffer, part: Buffer): boolean {
  return bytes.length >= part.length && bytes.subarray(bytes.length - part.length).equals(part);
}

/** The text in a file without the line ends behind it. Throws SECRET_UNREADABLE when it is no text. */
export function textInFile(bytes: Uint8Array): string {
  if (isUtf8(bytes))
    return Buffer.from(bytes)
      .toString('utf8')
      .replace(/[\r\n]+$/, '');
  throw new TidemarkError('SECRET_UNREADABLE', 'the secret is not text in UTF-8', {
    hint: 'Only the password of a repository may be any bytes.',
  });
}
