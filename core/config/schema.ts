import daemon from '../../schemas/daemon.json' with { type: 'json' };
import destination from '../../schemas/destination.json' with { type: 'json' };
import plan from '../../schemas/plan.json' with { type: 'json' };
import retention from '../../schemas/retention.json' with { type: 'json' };
import source from '../../schemas/source.json' with { type: 'json' };
import type { DriverRegistry, JsonSchema } from '../driver/index.ts';
import { namePattern } from './formats.ts';
import { type Collection, collections } from './types.ts';

/** As much of a driver as its schema needs. */
export interface DescribedDriver {
  readonly kind: string;
  readonly schema: JsonSchema;
}
export type DescribedDrivers = DriverRegistry<DescribedDriver, DescribedDriver>;

/** The schemas of one collection's resources: one, or one for each driver. */
export interface CollectionSchema {
  readonly description: string;
  readonly byDriver: boolean;
  /** Whole object schemas, by driver; only `''` where there are none. */
  readonly variants: ReadonlyMap<string, JsonSchema>;
}

/** What each collection takes, with these drivers. */
export function collectionSchemas(
  drivers: DescribedDrivers,
): Readonly<Record<Collection | 'daemon', CollectionSchema>> {
  return {
    sources: byDriver(source, drivers.sources),
    destinations: byDriver(destination, drivers.destinations),
    retention: single(retention),
    plans: single(plan),
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
    for (const [kind, variant] of schema.variants) definitions[definitionName(collection, kind)] = embedded(variant);
    properties[collection] = {
      type: ['object', 'null'],
      description: schema.description,
      propertyNames: { pattern: namePattern.source },
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
  return { description: String(schema.description), byDriver: false, variants: new Map([['', schema]]) };
}

function byDriver(common: JsonSchema, drivers: readonly DescribedDriver[]): CollectionSchema {
  const variants = new Map(drivers.map(({ kind, schema }) => [kind, joined(common, schema, kind)]));
  return { description: String(common.description), byDriver: true, variants };
}

/** The fields of a driver between the one that chooses it and those that all have. */
function joined(common: JsonSchema, own: JsonSchema, kind: string): JsonSchema {
  const { driver, ...shared } = common.properties as Properties;
  return {
    title: own.title ?? kind,
    description: own.description,
    ...own,
    type: 'object',
    properties: {
      driver: { ...driver, const: kind, examples: [kind] },
      ...(own.properties as Properties | undefined),
      ...shared,
    },
    required: [...new Set([...stringsOf(common.required), ...stringsOf(own.required)])],
    additionalProperties: own.additionalProperties ?? false,
  };
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function embedded(schema: JsonSchema): JsonSchema {
  const { $schema: _, ...rest } = schema;
  return rest;
}

function definitionName(collection: Collection, kind: string): string {
  return kind === '' ? collection : `${collection}.${kind}`;
}

function resourceSchema(collection: Collection, { byDriver, variants }: CollectionSchema): JsonSchema {
  if (!byDriver) return { $ref: `#/$defs/${definitionName(collection, '')}` };
  const kinds = [...variants.keys()];
  return {
    type: 'object',
    required: ['driver'],
    properties: { driver: { enum: kinds } },
    allOf: kinds.map((kind) => ({
      if: { properties: { driver: { const: kind } }, required: ['driver'] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
      then: { $ref: `#/$defs/${definitionName(collection, kind)}` },
    })),
  };
}
