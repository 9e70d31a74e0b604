import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../driver/index.ts';
import { nearest } from '../nearest.ts';
import type { Declared } from './declared.ts';
import { choices, explain, type Finding, typeOf } from './explain.ts';
import { formats } from './formats.ts';
import { keptNothing } from './kept-nothing.ts';
import { type CollectionSchema, collectionSchemas } from './schema.ts';
import { misplacedReferences } from './secret-fields.ts';
import type { Drivers } from './types.ts';
import { unsupported } from './unsupported.ts';

export interface Validated {
  readonly findings: readonly Finding[];
  /** The schema that it was held against; absent when the driver or type is not known. */
  readonly schema?: JsonSchema;
}

/** Holds one resource at a time against the schema of its collection and driver. Keeps what it compiled. */
export function makeValidator(drivers: Drivers): (declared: Declared) => Validated {
  const schemas = collectionSchemas(drivers);
  const compile = compiler();
  return (declared) => {
    const { value, collection } = declared;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { findings: [notAMapping(value)] };
    const choice = chooseSchema(schemas[collection], value as Record<string, unknown>);
    if (choice.problem) return { findings: [choice.problem] };
    const validate = compile(choice.schema);
    const errors = validate(value) ? [] : meaningful(validate.errors ?? []);
    const findings = withoutConsequences(errors.map(explain)).map((finding) => unsupported(collection, finding));
    const senseless =
      collection === 'retention' && errors.length === 0 ? keptNothing(value as Record<string, unknown>) : [];
    return {
      findings: [...findings, ...senseless, ...misplacedReferences(choice.schema, value)],
      schema: choice.schema,
    };
  };
}

/** A branch of a choice asks again what the one before asked: it is enough to remember the last. */
const knownAnswers = 1024;

function compiler(): (schema: JsonSchema) => ValidateFunction {
  const known = new Map<string, boolean>();
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    strictTuples: false,
    validateSchema: false,
    meta: false,
    code: { optimize: false },
  });
  for (const [name, format] of Object.entries(formats)) {
    ajv.addFormat(name, (text) => {
      const key = `${name}\0${text}`;
      const answer = known.get(key) ?? format.accepts(text);
      if (known.size >= knownAnswers) known.clear();
      known.set(key, answer);
      return answer;
    });
  }
  return (schema) => ajv.compile(schema);
}

function notAMapping(value: unknown): Finding {
  const summary = `it must be a mapping of settings, not ${typeOf(value)}`;
  return { code: 'wrong-type', summary, path: [], part: 'value' };
}

type Choice = { schema: JsonSchema; problem?: undefined } | { problem: Finding };

function chooseSchema({ byDriver, variants }: CollectionSchema, spec: Record<string, unknown>): Choice {
  if (!byDriver) return { schema: variants.get('')! };
  const known = [...variants.keys()];
  const value = Object.hasOwn(spec, 'driver') ? spec.driver : undefined;
  if (value === undefined) {
    const hint = `Add \`driver\`: one of ${choices(known)}.`;
    return { problem: { code: 'missing-key', summary: '`driver` is missing', hint, path: [], part: 'key' } };
  }
  const schema = typeof value === 'string' ? variants.get(value) : undefined;
  return schema ? { schema } : { problem: unknownDriver(value, known) };
}

function unknownDriver(value: unknown, known: readonly string[]): Finding {
  const text = typeof value === 'string' ? `\`${value}\`` : typeOf(value);
  const near = typeof value === 'string' ? nearest(value, known) : undefined;
  return {
    code: 'unknown-driver',
    summary: `unknown driver ${text}`,
    hint: `${near ? `Did you mean \`${near}\`? ` : ''}This version has ${choices(known)}.`,
    path: ['driver'],
    part: 'value',
  };
}

/** Without what failed inside the branches of a choice, which the choice itself explains. */
function meaningful(errors: readonly ErrorObject[]): ErrorObject[] {
  const chosen = errors.filter((error) => ['oneOf', 'anyOf', 'if'].includes(error.keyword));
  return errors.filter(
    (error) =>
      error.keyword !== 'if' &&
      !chosen.some((one) => one.keyword !== 'if' && error.schemaPath.startsWith(`${one.schemaPath}/`)),
  );
}

/** A key that is missing because it was misspelt is told once, as the unknown key; a value of the wrong kind as that. */
function withoutConsequences(findings: readonly Finding[]): Finding[] {
  const meant = new Set(findings.map((finding) => finding.meant));
  const mistyped = new Set(findings.filter(({ code }) => code === 'wrong-type').map(({ path }) => path.join('\0')));
  return findings.filter(
    ({ code, path, missing }) =>
      !missing?.some((key) => meant.has(key)) && !(code === 'bad-value' && mistyped.has(path.join('\0'))),
  );
}
