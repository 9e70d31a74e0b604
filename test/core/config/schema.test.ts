import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { assembleSchema } from '../../../core/config/index.ts';
import type { JsonSchema } from '../../../core/driver/index.ts';
import { drivers as real } from '../../../drivers/index.ts';
import { drivers, errorsOf, load, soundYaml } from './given.ts';

const folder = join(import.meta.dirname, '../../../schemas');

test('every field of every schema has a description, and examples that it accepts', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  let fields = 0;
  for (const file of (await readdir(folder)).sort()) {
    const schema: JsonSchema = JSON.parse(await readFile(join(folder, file), 'utf8'));
    assert.ok(ajv.validateSchema(schema), `${file}: ${ajv.errorsText()}`);
    assert.ok(schema.description, file);
    for (const [name, field] of fieldsOf(schema)) {
      fields += 1;
      if (field.const !== undefined) continue;
      assert.match(String(field.description), /^[^a-z].*\.$/s, `${file}: ${name} is described in sentences`);
      const examples = field.examples as unknown[];
      assert.ok(examples?.length > 0, `${file}: ${name} has examples`);
      for (const value of [...examples, ...('default' in field ? [field.default] : [])]) {
        assert.ok(ajv.validate(field, value), `${file}: ${name}: ${JSON.stringify(value)}: ${ajv.errorsText()}`);
      }
    }
  }
  assert.ok(fields > 50, `${fields} fields were looked at`);
});

test('every driver has its schema in the folder of schemas, and no other', async () => {
  for (const [role, of] of [
    ['source', real.sources],
    ['destination', real.destinations],
  ] as const) {
    for (const { kind, schema } of of) {
      assert.deepEqual(schema, JSON.parse(await readFile(join(folder, `${role}.${kind}.json`), 'utf8')), kind);
    }
  }
});

test('examples pass the formats too', async (t) => {
  for (const file of ['retention', 'daemon']) {
    const schema = JSON.parse(await readFile(join(folder, `${file}.json`), 'utf8'));
    const spec = Object.fromEntries(
      Object.entries(schema.properties as Record<string, JsonSchema>).map(([name, field]) => [
        name,
        (field.examples as unknown[])[0],
      ]),
    );
    const configuration = file === 'daemon' ? { daemon: spec } : { [file]: { one: spec } };
    assert.deepEqual(errorsOf(await load(t, JSON.stringify(configuration))), [], file);
  }
});

test('the assembled schema accepts what loads, and refuses what does not', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schema = assembleSchema(drivers);
  assert.ok(ajv.validateSchema(schema), ajv.errorsText());
  const validate = ajv.compile(schema);
  assert.ok(validate(parse(soundYaml)), ajv.errorsText(validate.errors));
  assert.ok(validate(null));
  for (const [from, to] of [
    ['driver: files', 'driver: redis'],
    ['oneFileSystem', 'oneFilesystem'],
    ['  shop-nightly:', '  "shop nightly":'],
    ['manual: true', 'manual: true, schedule: "0 0 * * *"'],
    ['concurrency: 3', 'concurrency: three'],
    ['plans:', 'plan:'],
  ] as const) {
    assert.ok(soundYaml.includes(from));
    assert.equal(validate(parse(soundYaml.replace(from, to))), false, to);
  }
});

test('a toy driver brings its own fields, and core has not heard of it', async (t) => {
  const definitions = assembleSchema(drivers).$defs as Record<string, JsonSchema>;
  assert.deepEqual(Object.keys(definitions['sources.toy']!.properties as object), [
    'driver',
    'shelves',
    'labels',
    'renamedFrom',
  ]);
  const loaded = await load(t, 'sources: { a: { driver: toy, shelfs: [] } }');
  assert.deepEqual(errorsOf(loaded), ['1:30 unknown-key sources.a: unknown key `shelfs` [Did you mean `shelves`?]']);
});

function* fieldsOf(schema: JsonSchema, prefix = ''): Generator<[string, JsonSchema]> {
  for (const branch of (schema.oneOf ?? []) as JsonSchema[]) if (branch.properties) yield* fieldsOf(branch, prefix);
  for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)) {
    yield [`${prefix}${name}`, field];
    yield* fieldsOf(field, `${prefix}${name}.`);
    if (field.items) yield* fieldsOf(field.items as JsonSchema, `${prefix}${name}[].`);
  }
}
