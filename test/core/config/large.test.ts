import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { run } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { errorsOf, load } from './given.ts';

const source = (index: number, more = '') =>
  `  s${index}:\n    driver: files # of ${index}\n    paths: [/data/${index}]\n${more}`;

function sources(count: number, changes: Readonly<Record<number, string>> = {}): string {
  return `sources:\n${Array.from({ length: count }, (_, index) => changes[index] ?? source(index)).join('')}`;
}

const rest = `destinations:
  nas: { driver: local, path: /mnt/nas, password: "\${env:NAS}" }
plans:
  p: { source: s1999, manual: true, destinations: [nas] }
`;

test('a configuration that is read in pieces is the same as one that is read whole, places included', async (t) => {
  const text = `# first\n${sources(2_000)}\n${rest}`;
  const { configuration } = await load(t, text);
  const whole = parse(text) as Record<string, Record<string, unknown>>;
  const expected = Object.entries(whole).flatMap(([collection, named]) =>
    Object.entries(named).map(([name, spec]) => [`${collection}.${name}`, spec]),
  );
  assert.equal(expected.length, 2_002);
  assert.deepEqual(
    new Map([...configuration!.resources].map(([address, { spec }]) => [address, spec])),
    new Map(expected as [string, Record<string, unknown>][]),
  );
  for (const index of [0, 13, 14, 15, 16, 253, 254, 255, 256, 1_000, 1_999]) {
    const { line, column } = configuration!.position(`sources.s${index}`, ['paths'])!;
    assert.deepEqual([line, column], [5 + 3 * index, 5]);
  }
});

test('mistakes in the middle of a long collection have their places, and names twice are told', async (t) => {
  const text = `${sources(1_000, { 300: source(300, '    exclud: [x]\n'), 700: source(299) })}\n`;
  const loaded = await load(t, text);
  assert.deepEqual(errorsOf(loaded), [
    '905:5 unknown-key sources.s300: unknown key `exclud` [Did you mean `exclude`?]',
    `2103:3 duplicate \`sources.s299\` stands here and at ${loaded.files[0]}:899:3 [Rename or remove one.]`,
  ]);
});

test('anchors reach across pieces, and broken YAML in the middle is an error', async (t) => {
  const anchored = source(3).replace('paths:', 'paths: &all');
  const aliased = source(900).replace('[/data/900]', '*all');
  const { configuration } = await load(t, sources(1_000, { 3: anchored, 900: aliased }));
  assert.deepEqual(configuration!.resources.get('sources.s900')!.spec.paths, ['/data/3']);
  const broken = await load(t, sources(1_000, { 500: source(500).replace('[/data/500]', '[/data/500') }));
  assert.match(errorsOf(broken)[0]!, /^150\d:\d+ yaml-syntax/);
  assert.equal(broken.configuration, undefined);
});

test('a few megabytes of configuration take no hundreds of megabytes of memory', async (t) => {
  const file = join(await tempFolder(t), 'tidemark.yaml');
  await writeFile(file, `${sources(15_000)}\n`);
  const main = join(import.meta.dirname, '../../../cmd/main.ts');
  const limit = '--max-old-space-size=60';
  const told = await run(process.execPath, [limit, main, 'validate', '-c', file]);
  assert.deepEqual([told.code, told.stdout], [0, 'valid: 15,000 resources in 1 file\n'], told.stderr.slice(0, 2_000));
});
