import type { JsonSchema } from '../driver/index.ts';
import type { Finding } from './explain.ts';
import { fieldName } from './explain.ts';
import { isReference, mentionsReference } from './secrets.ts';
import type { Path } from './yaml-document.ts';

export interface SecretField {
  readonly path: Path;
  readonly reference: string;
}

/** The references in the fields that the schema calls secret. */
export function secretFields(schema: JsonSchema, spec: unknown): SecretField[] {
  return strings(schema, spec, [])
    .filter((one) => one.secret && isReference(one.text))
    .map((one) => ({ path: one.path, reference: one.text }));
}

/** References that stand in fields where nobody would resolve them. */
export function misplacedReferences(schema: JsonSchema, spec: unknown): Finding[] {
  return strings(schema, spec, [])
    .filter((one) => !one.secret && mentionsReference(one.text))
    .map(({ path }) => ({
      code: 'misplaced-reference',
      summary: `\`${fieldName(path)}\` is not a secret and cannot be a reference`,
      hint: 'Write the value itself.',
      path,
      part: 'value',
    }));
}

interface Text {
  readonly path: Path;
  readonly text: string;
  readonly secret: boolean;
}

/** Every string in a value, with what the schema says of its place. */
function strings(schema: JsonSchema | undefined, value: unknown, path: Path): Text[] {
  if (typeof value === 'string') return [{ path, text: value, secret: schema?.format === 'secret' }];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => strings(schemaAt(schema, 'items'), item, [...path, at]));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = schemaAt(schemaAt(schema, 'properties'), key);
    return strings(own ?? schemaAt(schema, 'additionalProperties'), inner, [...path, key]);
  });
}

function schemaAt(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const inner = schema !== undefined && Object.hasOwn(schema, key) ? schema[key] : undefined;
  return typeof inner === 'object' && inner !== null ? (inner as JsonSchema) : undefined;
}
