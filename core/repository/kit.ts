import crypto from 'node:crypto';
import { TidemarkError } from '../error.ts';
import type { KeyMaterial } from './format/sealer.ts';
import { openKeyFile, parseKeyFile } from './key-file.ts';

/**
 * A recovery kit, text for paper: all that opens a repository whose `keys/` are lost, whose password is forgotten, or
 * both. What a program reads of it are its marked lines, `LABEL | TEXT | CHECK`:
 *
 *     id       | repository id, 64 hex digits                    | 0a1b
 *     chunker  | polynomial of the repository's `config`, hex    | …
 *     password | the password of the key below, made for this kit | …
 *     name     | SHA-256 of the key, in hex: its name in `keys/` | …
 *     key 1    | the key, a key file of restic's format: JSON without spaces, cut into lines | …
 *     key 2    | …
 *
 * CHECK: the first four hex digits of the SHA-256 of TEXT. Everything else in it is for people, in plain ASCII.
 */
export interface Kit {
  readonly id: string;
  readonly chunker: string;
  readonly password: string;
  /** JSON of a key file. */
  readonly key: string;
}

/** What a kit says to whoever finds it. */
export interface KitWords {
  readonly destination: string;
  /** Where the repository is: `local /mnt/nas/tidemark`. */
  readonly place: string;
  readonly madeAt: Date;
  readonly madeBy: string;
  readonly version: string;
}

const textWidth = 64;

export function formatKit(kit: Kit, words: KitWords): string {
  const lines = Object.entries(fieldsOf(kit)).map(([label, text]) => markedLine(label, text));
  return `${introduction(words)}\n${lines.join('\n')}\n\n${instructions(words)}`;
}

/** Takes what was copied, typed or scanned: spaces, other text and the order do not count. Throws KIT_UNUSABLE, which names lines. */
export function parseKit(text: string): Kit {
  const { fields, wrong } = markedLines(text);
  const keyLines = [...fields.keys()].filter((label) => label.startsWith('key ')).length;
  const wanted = ['id', 'chunker', 'password', 'name', ...numbered(Math.max(1, keyLines))];
  const missing = wanted.filter((label) => !fields.has(label) && !wrong.includes(label));
  if (fields.size === 0 && wrong.length === 0) throw unusable('this holds no line of a recovery kit');
  if (wrong.length > 0) throw unusable(`${lineNames(wrong)} differs from what its last column says`);
  if (missing.length > 0) throw unusable(`${lineNames(missing)} is missing`);
  const [id, chunker, password, name, ...key] = wanted.map((label) => fields.get(label)!);
  if (sha256(key.join('')) === name) return { id: id!, chunker: chunker!, password: password!, key: key.join('') };
  throw unusable('the lines `key …` and `name` do not belong together, or the last lines `key …` are missing');
}

/** The master key of the repository that the kit is of. Throws KIT_UNUSABLE. */
export async function openKit(kit: Kit): Promise<KeyMaterial> {
  const file = parseKeyFile(Buffer.from(kit.key), 'the key of the recovery kit');
  const master = await openKeyFile(file, Buffer.from(kit.password));
  if (master !== undefined) return master;
  throw new TidemarkError('KIT_UNUSABLE', 'the password of the recovery kit does not open its key', {
    hint: 'Each line is as it was printed, so the lines are of two kits: type them from one.',
  });
}

/** As hard to guess as the repository's own key; without letters that look like digits. */
export function newKitPassword(): string {
  const letters = Array.from({ length: 32 }, () => alphabet[crypto.randomInt(alphabet.length)]).join('');
  return letters.match(/.{4}/g)!.join('-');
}

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

function fieldsOf({ id, chunker, password, key }: Kit): Record<string, string> {
  const parts = key.match(new RegExp(`.{1,${textWidth}}`, 'g')) ?? [];
  const keyLines = numbered(parts.length).map((label, at) => [label, parts[at]]);
  return { id, chunker, password, name: sha256(key), ...Object.fromEntries(keyLines) };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `key ${at + 1}`);
}

function markedLine(label: string, text: string): string {
  return `${label.padEnd(8)} | ${text.padEnd(textWidth)} | ${checkOf(text)}`;
}

function markedLines(text: string): { fields: ReadonlyMap<string, string>; wrong: readonly string[] } {
  const fields = new Map<string, string>();
  const wrong = new Set<string>();
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, name, number, marked, check] = linePattern.exec(line) ?? [];
    if (marked === undefined || check === undefined) continue;
    const label = name?.toLowerCase() ?? `key ${Number(number)}`;
    const value = marked.replace(/\s/g, '');
    const twin = fields.get(label);
    if (checkOf(value) !== check.toLowerCase() || (twin !== undefined && twin !== value)) wrong.add(label);
    fields.set(label, value);
  }
  return { fields, wrong: [...wrong] };
}

/** What mail and word processors put in front of a line is passed over. */
const linePattern = /^[\s>*\ufeff]*(?:(id|chunker|password|name)|key\s*(\d{1,3}))\s*\|(.*)\|\s*([0-9a-f]{4})\s*$/i;

function checkOf(text: string): string {
  return sha256(text).slice(0, 4);
}

function sha256(text: string): string {
  return crypto.hash('sha256', text);
}

function lineNames(labels: readonly string[]): string {
  const names = labels.map((label) => `line \`${label}\``);
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more: each` : names.join(', ');
}

function unusable(text: string): TidemarkError {
  return new TidemarkError('KIT_UNUSABLE', `the recovery kit cannot be used: ${text}`, {
    hint: 'Compare these lines with the paper, letter by letter; capitals count. Of every line the first four digits of `printf %s TEXT | sha256sum` are in its last column.',
  });
}

function introduction({ destination, place, madeAt, madeBy, version }: KitWords): string {
  return `TIDEMARK RECOVERY KIT, format 1

This paper opens a repository of backups when its folder keys/ is lost, when
its password is forgotten, or both. With it and the repository everybody can
read everything: lock it away, in another place than the repository, and
keep no copy on a machine. It stays good when passwords are changed; only a
new repository makes it worthless.

destination  ${ascii(destination)}
place        ${ascii(place)}
made         ${madeAt.toISOString()} by ${ascii(madeBy)}, tidemark ${ascii(version)}

Each line below is LABEL | TEXT | CHECK. To try a line that was typed:
printf %s TEXT | sha256sum   begins with CHECK.
`;
}

function instructions({ destination }: KitWords): string {
  return `With tidemark: type or scan the lines into a file KIT, put a new password
where destinations.${ascii(destination)} of its configuration refers to, and run

  tidemark key import ${ascii(destination)} --kit KIT

Without tidemark: the repository is one of restic (https://restic.net). With
the lines in a file KIT and the repository in a folder REPOSITORY:

  awk '$1 == "key" { printf "%s", $4 }' KIT >key
  name=$(sha256sum <key | cut -c 1-64)   # the text of the line "name"
  mkdir -p REPOSITORY/keys && cp key REPOSITORY/keys/$name
  restic -r REPOSITORY snapshots         # takes the text of "password"

restic key add   then lets a password of your own open it.
`;
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
