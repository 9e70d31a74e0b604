import type { Diagnostic, Position } from '../diagnostic.ts';
import { nearest } from '../nearest.ts';
import type { Declared } from './declared.ts';
import { choices, typeOf } from './explain.ts';
import { isName, nameRule } from './formats.ts';
import { type Collection, collections } from './types.ts';
import { laterCollection } from './unsupported.ts';
import type { Path, Place, YamlDocument } from './yaml-document.ts';

export interface Declarations {
  readonly declared: ReadonlyMap<string, Declared>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Merges the documents of all files. Says what is declared twice, and what cannot stand at the top. */
export function declare(documents: readonly YamlDocument[]): Declarations {
  const declared = new Map<string, Declared>();
  const diagnostics: Diagnostic[] = [];
  for (const document of documents) {
    for (const one of resourcesOf(document, diagnostics)) {
      const first = declared.get(one.address);
      if (first === undefined) declared.set(one.address, one);
      else diagnostics.push(duplicate(one, first));
    }
  }
  return { declared, diagnostics };
}

function* resourcesOf(document: YamlDocument, diagnostics: Diagnostic[]): Generator<Declared> {
  const report = (code: string, summary: string, position: Position, hint?: string) =>
    diagnostics.push({ severity: 'error', code, summary, hint, position });
  for (const [key, value] of entriesOf(document.value, [], document.place, 'the file', report)) {
    if (key === 'daemon') {
      yield declaredAt('daemon', key, value ?? {}, document.place, [key]);
    } else if (isCollection(key)) {
      yield* namedResources(key, value, document.place, report);
    } else {
      reportUnknown(key, document.place([key], 'key'), report);
    }
  }
}

function reportUnknown(key: string, position: Position, report: Report): void {
  const later = laterCollection(key);
  if (later !== undefined) report('not-yet', later.summary, position, later.hint);
  else report('unknown-key', `unknown key \`${key}\``, position, suggestion(key, [...collections, 'daemon']));
}

function* namedResources(collection: Collection, value: unknown, place: Place, report: Report): Generator<Declared> {
  for (const [name, spec] of entriesOf(value, [collection], place, `\`${collection}\``, report)) {
    const path = [collection, name];
    if (isName(name)) yield declaredAt(collection, name, spec, place, path);
    else report('bad-name', `\`${name}\` cannot be a name`, place(path, 'key'), nameRule);
  }
}

type Report = (code: string, summary: string, position: Position, hint?: string) => void;

function entriesOf(value: unknown, path: Path, place: Place, what: string, report: Report): [string, unknown][] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value);
  report('wrong-type', `${what} must be a mapping, not ${typeOf(value)}`, place(path, 'value'));
  return [];
}

function declaredAt(
  collection: Collection | 'daemon',
  name: string,
  value: unknown,
  place: Place,
  path: Path,
): Declared {
  const address = collection === 'daemon' ? 'daemon' : `${collection}.${name}`;
  return { address, collection, name, value, place: (inside, part) => place([...path, ...inside], part) };
}

function duplicate(second: Declared, first: Declared): Diagnostic {
  const { file, line, column } = first.place([], 'key');
  return {
    severity: 'error',
    code: 'duplicate',
    summary: `\`${second.address}\` stands here and at ${file}:${line}:${column}`,
    hint: second.collection === 'daemon' ? 'Put all settings of the daemon in one place.' : 'Rename or remove one.',
    position: second.place([], 'key'),
  };
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near ? `Did you mean \`${near}\`?` : `Known keys: ${choices(known)}.`;
}

function isCollection(key: string): key is Collection {
  return (collections as readonly string[]).includes(key);
}
