import type { ErrorObject } from 'ajv';
import { firstOf } from '../first-of.ts';
import { nearest } from '../nearest.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import { formats } from './formats.ts';
import type { Path } from './yaml-document.ts';

/** What is wrong with one field of a resource. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly summary: string;
  readonly hint?: string;
  readonly path: Path;
  /** Where to point: at the key, or at the value. */
  readonly part: 'key' | 'value';
  /** Of an unknown key: the one that was probably meant. */
  readonly meant?: string;
  /** Of a missing key: the keys that would do. */
  readonly missing?: readonly string[];
}

/** An error of the schema's validator, run with `verbose`, in our words. Values of secret fields are never shown. */
export function explain(error: ErrorObject): Finding {
  const path = pathOf(error.instancePath);
  if (error.parentSchema?.format === 'secret') return literalSecret(path, error.data);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(error, path);
    case 'required':
      return missingKey(error, path);
    case 'dependentRequired':
      return neededKey(error, path);
    case 'type':
      return wrongType(error, path);
    case 'oneOf':
    case 'anyOf':
      return wrongChoice(error, path);
    case 'not':
      return conflict((error.schema as { required: string[] }).required, path);
    default:
      return badValue(error, path);
  }
}

/** Several names for people: `a`, `b`, … */
export function choices(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  return firstOf(
    names.map((name) => `\`${name}\``),
    12,
  );
}

/** The type of a value in words: `a string`, `a list`, `nothing`. */
export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeNames[typeof value] ?? typeof value;
}

/** The path of a field for people: `retry.attempts`, `destinations[1]`. */
export function fieldName(path: Path): string {
  return path.map((step, at) => (/^\d+$/.test(String(step)) ? `[${step}]` : `${at > 0 ? '.' : ''}${step}`)).join('');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
};

function literalSecret(path: Path, text: unknown): Finding {
  return {
    code: 'literal-secret',
    summary: `\`${fieldName(path)}\` must be a reference to a secret, not the secret itself`,
    hint: formats.secret!.hint(String(text)),
    path,
    part: 'value',
  };
}

function unknownKey(error: ErrorObject, path: Path): Finding {
  const key = String(error.params.additionalProperty);
  const known = Object.keys(error.parentSchema?.properties ?? {});
  const near = nearest(
    key,
    known.filter((name) => !Object.hasOwn(error.data as object, name)),
  );
  return {
    code: 'unknown-key',
    summary: `unknown key \`${fieldName([...path, key])}\``,
    hint: near ? `Did you mean \`${near}\`?` : `Known keys: ${choices(known)}.`,
    path: [...path, key],
    part: 'key',
    meant: near,
  };
}

function missingKey(error: ErrorObject, path: Path): Finding {
  const key = String(error.params.missingProperty);
  const example = exampleOf(error.parentSchema?.properties?.[key]);
  return {
    code: 'missing-key',
    summary: `\`${fieldName([...path, key])}\` is missing`,
    hint: example ? `For example: \`${key}: ${example}\`.` : `Add \`${key}\`.`,
    path,
    part: 'key',
    missing: [key],
  };
}

function neededKey(error: ErrorObject, path: Path): Finding {
  const { property, missingProperty } = error.params;
  const instead = excludedBy(error, missingProperty);
  const add = instead ? `write \`${missingProperty}\` instead of \`${instead}\`` : `add \`${missingProperty}\``;
  return {
    code: 'missing-key',
    summary: `\`${fieldName([...path, property])}\` has no use without \`${missingProperty}\``,
    hint: `Remove \`${property}\`, or ${add}.`,
    path: [...path, property],
    part: 'key',
    missing: [missingProperty],
  };
}

/** The key that is there and cannot stand beside this one. */
function excludedBy({ parentSchema, data }: ErrorObject, key: string): string | undefined {
  const branches = (parentSchema?.oneOf ?? []) as { required?: string[] }[];
  const choice = branches.flatMap(({ required = [] }) => required);
  return choice.includes(key)
    ? choice.find((other) => other !== key && Object.hasOwn(data as object, other))
    : undefined;
}

function wrongType(error: ErrorObject, path: Path): Finding {
  const wanted = [error.params.type].flat().map((type) => typeNames[type] ?? type);
  const quotable = wanted.includes('a string') && isGoodInQuotes(error);
  return {
    code: 'wrong-type',
    summary: `${subject(path)} must be ${wanted.join(' or ')}, not ${typeof error.data === 'number' && error.params.type === 'integer' ? error.data : typeOf(error.data)}`,
    hint: quotable ? `Put it in quotes if that is what you mean.${forExample(error) ?? ''}` : forExample(error)?.trim(),
    path,
    part: 'value',
  };
}

/** Whether the text of a number would be a value that the schema takes. */
function isGoodInQuotes({ data, parentSchema = {} }: ErrorObject): boolean {
  if (typeof data !== 'number' && typeof data !== 'boolean') return false;
  const { format, enum: allowed, pattern } = parentSchema;
  if (format !== undefined) return formats[format]?.accepts(String(data)) ?? false;
  if (pattern !== undefined) return new RegExp(pattern).test(String(data));
  return allowed === undefined || allowed.includes(String(data));
}

/** `oneOf` and `anyOf` say which keys go together when each branch requires one; anything else has no good words. */
function wrongChoice(error: ErrorObject, path: Path): Finding {
  const branches = (error.schema as { required?: string[] }[]).map((branch) => branch.required?.[0]);
  if (branches.some((key) => key === undefined)) {
    const summary = `${subject(path)} has none of the forms that it may have`;
    return { code: 'bad-value', summary, hint: forExample(error)?.trim(), path, part: 'value' };
  }
  const present = (branches as string[]).filter((key) => Object.hasOwn(error.data as object, key));
  if (present.length === 0) {
    const missing = branches as string[];
    const one = error.keyword === 'oneOf' ? 'exactly one' : 'at least one';
    const summary = `${one} of ${choices(missing)} is needed`;
    return { code: 'missing-key', summary, hint: 'Add one of them.', path, part: 'key', missing };
  }
  return conflict(present, path);
}

function conflict(present: readonly string[], path: Path): Finding {
  return {
    code: 'conflicting-keys',
    summary: `${choices(present)} exclude each other`,
    hint: 'Keep one of them.',
    path: [...path, present.at(-1)!],
    part: 'key',
  };
}

function badValue(error: ErrorObject, path: Path): Finding {
  const { summary, hint } = complaint(error, subject(path));
  return { code: 'bad-value', summary, hint, path, part: 'value' };
}

function complaint(error: ErrorObject, what: string): { summary: string; hint?: string } {
  const example = forExample(error)?.trim();
  const shown = shownValue(error);
  switch (error.keyword) {
    case 'format':
      return { summary: `${what} is not ${formats[error.params.format]!.noun}${shown}`, hint: formatHint(error) };
    case 'enum':
      return { summary: `${what} cannot be that${shown}`, hint: oneOfHint(error, error.params.allowedValues) };
    case 'const':
      return { summary: `${what} must be ${JSON.stringify(error.params.allowedValue)}${shown}`, hint: example };
    case 'minimum':
    case 'exclusiveMinimum':
    case 'maximum':
    case 'exclusiveMaximum':
      return { summary: `${what} must be ${error.params.comparison} ${error.params.limit}${shown}`, hint: example };
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      return { summary: `${what} must not be empty`, hint: example };
    case 'uniqueItems':
      return { summary: `${what} says the same thing twice`, hint: 'Remove one of the two.' };
    case 'pattern':
      return { summary: `${what} is not of the form that it must have${shown}`, hint: example };
    default:
      return { summary: `${what} ${error.message ?? 'is not valid'}`, hint: example };
  }
}

function subject(path: Path): string {
  return path.length === 0 ? 'it' : `\`${fieldName(path)}\``;
}

function formatHint(error: ErrorObject): string {
  return formats[error.params.format]!.hint(String(error.data));
}

function oneOfHint(error: ErrorObject, allowed: readonly unknown[]): string {
  const near = nearest(String(error.data), allowed.map(String));
  return near ? `Did you mean \`${near}\`?` : `Use one of ${choices(allowed.map(String))}.`;
}

/** `: 6x`; nothing for what is long or may hold a secret. */
function shownValue(error: ErrorObject): string {
  if (formats[error.parentSchema?.format]?.hidden) return '';
  const text = typeof error.data === 'string' ? error.data : JSON.stringify(error.data);
  return text.length > 60 || text.includes('\n') ? '' : `: ${text}`;
}

function forExample(error: ErrorObject): string | undefined {
  const example = exampleOf(error.parentSchema);
  return example && ` For example: \`${example}\`.`;
}

function exampleOf(schema: Record<string, unknown> | undefined): string | undefined {
  const example = Array.isArray(schema?.examples) ? schema.examples[0] : undefined;
  if (example === undefined) return undefined;
  return typeof example === 'string' ? example : JSON.stringify(example);
}

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
