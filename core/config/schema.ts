import check from '../../schemas/check.json' with { type: 'json' };
import daemon from '../../schemas/daemon.json' with { type: 'json' };
import destination from '../../schemas/destination.json' with { type: 'json' };
import gateway from '../../schemas/gateway.json' with { type: 'json' };
import notify from '../../schemas/notify.json' with { type: 'json' };
import plan from '../../schemas/plan.json' with { type: 'json' };
import policy from '../../schemas/policy.json' with { type: 'json' };
import retention from '../../schemas/retention.json' with { type: 'json' };
import source from '../../schemas/source.json' with { type: 'json' };
import type { DriverRegistry, JsonSchema } from '../driver/index.ts';
import { type Collection, collections } from './types.ts';

/** As much of a driver as its schema needs. */
export interface DescribedDriver {
  readonly kind: string;
  readonly schema: JsonSchema;
}
export type DescribedDrivers = DriverRegistry<DescribedDriver, DescribedDriver>;

/** The schemas of one collection's resources: one, or one for each value of the field that chooses. */
export interface CollectionSchema {
  readonly description: string;
  readonly chooser?: 'driver' | 'type';
  /** Whole object schemas, by the chooser's value; without a chooser only `''`. */
  readonly variants: ReadonlyMap<string, JsonSchema>;
}

/** What each collection takes, with these drivers. */
export function collectionSchemas(
  drivers: DescribedDrivers,
): Readonly<Record<Collection | 'daemon', CollectionSchema>> {
  return {
    sources: chosen(source, 'driver', driverSchemas(drivers.sources)),
    destinations: chosen(destination, 'driver', driverSchemas(drivers.destinations)),
    gateways: single(gateway),
    retention: single(retention),
    plans: single(plan),
    checks: chosen(check, 'type', branches(check.oneOf, 'type')),
    notify: chosen(notify, 'driver', branches(notify.oneOf, 'driver')),
    policies: single(policy),
    daemon: single(daemon),
  };
}

/** One JSON Schema (draft 2020-12) of a whole configuration file, for editors and for `tidemark schema`. */
export function assembleSchema(drivers: DescribedDrivers): JsonSchema {
  const schemas = collectionSchemas(drivers);
  const definitions: Record<string, unknown> = {};
  const properties: Record<string, unknown> = {};
  for (const collection of collections) {
    const schema = schemas[collection];
    for (const [value, variant] of schema.variants) definitions[definitionName(collection, value)] = embedded(variant);
    properties[collection] = {
      type: ['object', 'null'],
      description: schema.description,
      propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
      additionalProperties: resourceSchema(collection, schema),
    };
  }
  definitions.daemon = embedded(schemas.daemon.variants.get('')!);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'tidemark configuration',
    type: ['object', 'null'],
    properties: { ...properties, daemon: { $ref: '#/$defs/daemon' } },
    additionalProperties: false,
    $defs: definitions,
  };
}

type Properties = Readonly<Record<string, JsonSchema>>;

function single(schema: JsonSchema): CollectionSchema {
  return { description: String(schema.description), variants: new Map([['', schema]]) };
}

function chosen(common: JsonSchema, chooser: 'driver' | 'type', own: Iterable<[string, JsonSchema]>): CollectionSchema {
  const variants = new Map<string, JsonSchema>();
  for (const [value, schema] of own) variants.set(value, joined(common, schema, chooser, value));
  return { description: String(common.description), chooser, variants };
}

function driverSchemas(drivers: readonly DescribedDriver[]): [string, JsonSchema][] {
  return drivers.map((driver) => [driver.kind, driver.schema]);
}

function branches(oneOf: readonly JsonSchema[], chooser: string): [string, JsonSchema][] {
  return oneOf.map((branch) => [String((branch.properties as Properties)[chooser]!.const), branch]);
}

/** The fields of a driver between the one that chooses it and those that all have. */
function joined(common: JsonSchema, own: JsonSchema, chooser: string, value: string): JsonSchema {
  const { [chooser]: choice, ...shared } = common.properties as Properties;
  return {
    title: own.title ?? value,
    description: own.description,
    ...own,
    type: 'object',
    properties: {
      [chooser]: { ...choice, const: value, examples: [value] },
      ...without(own.properties as Properties | undefined, chooser),
      ...shared,
    },
    required: [...new Set([...stringsOf(common.required), ...stringsOf(own.required)])],
    additionalProperties: own.additionalProperties ?? false,
  };
}

function without(properties: Properties | undefined, name: string): Properties {
  return Object.fromEntries(Object.entries(properties ?? {}).filter(([key]) => key !== name));
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function embedded(schema: JsonSchema): JsonSchema {
  const { $schema: _, ...rest } = schema;
  return rest;
}

function definitionName(collection: Collection, value: string): string {
  return value === '' ? collection : `${collection}.${value}`;
}

function resourceSchema(collection: Collection, { chooser, variants }: CollectionSchema): JsonSchema {
  if (chooser === undefined) return { $ref: `#/$defs/${definitionName(collection, '')}` };
  const values = [...variants.keys()];
  return {
    type: 'object',
    required: [chooser],
    properties: { [chooser]: { enum: values } },
    allOf: values.map((value) => ({
      if: { properties: { [chooser]: { const: value } }, required: [chooser] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
      then: { $ref: `#/$defs/${definitionName(collection, value)}` },
    })),
  };
}
