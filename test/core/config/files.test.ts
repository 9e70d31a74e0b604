import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../../core/config/index.ts';
import { hasCode } from '../../../core/error.ts';
import { tempFolder } from '../../kit/temp.ts';
import { drivers, errorsOf, load } from './given.ts';

const nas = 'destinations: { nas: { driver: local, path: /mnt/nas, password: "${env:NAS}" } }\n';
const config = 'sources: { config: { driver: files, paths: [/etc] } }\n';
const plan = 'plans: { now: { source: config, manual: true, destinations: [nas] } }\n';

test('a folder is one configuration, its files merged by name', async (t) => {
  const loaded = await load(t, { 'b.yml': plan, 'a.yaml': config + nas, '.#b.yml': 'sources: [', 'notes.txt': '{' });
  assert.deepEqual(errorsOf(loaded), []);
  assert.deepEqual([...loaded.configuration!.resources.keys()], ['sources.config', 'destinations.nas', 'plans.now']);
  assert.deepEqual(loaded.files, [join(loaded.folder, 'a.yaml'), join(loaded.folder, 'b.yml')]);
});

test('collections of the same kind in several files and documents are merged', async (t) => {
  const more = 'sources: { more: { driver: files, paths: [/srv] } }\n';
  const loaded = await load(t, { 'a.yaml': `${config}---\n${more}`, 'b.yaml': more.replace('more', 'most') });
  const names = [...loaded.configuration!.resources.keys()];
  assert.deepEqual(names, ['sources.config', 'sources.more', 'sources.most']);
  assert.equal(loaded.configuration!.position('sources.more', ['paths'])?.line, 3);
});

test('the same name in two files names both places', async (t) => {
  const loaded = await load(t, { 'a.yaml': config, 'b.yaml': `# again\n${config}` });
  const first = `${join(loaded.folder, 'a.yaml')}:1:12`;
  assert.deepEqual(errorsOf(loaded), [
    `2:12 duplicate \`sources.config\` stands here and at ${first} [Rename or remove one.]`,
  ]);
  assert.equal(loaded.diagnostics[0]!.position!.file, join(loaded.folder, 'b.yaml'));
});

test('daemon settings stand in one place only', async (t) => {
  const loaded = await load(t, { 'a.yaml': 'daemon: { concurrency: 1 }', 'b.yaml': 'daemon: { concurrency: 2 }' });
  assert.match(errorsOf(loaded).join(), /^1:1 duplicate `daemon` stands here and at .*a\.yaml:1:1/);
});

test('errors of all files come at once, in order', async (t) => {
  const loaded = await load(t, { 'a.yaml': 'sorces: {}', 'b.yaml': 'plans: 7', 'c.yaml': '\nkey: "x' });
  const places = loaded.diagnostics.map((one) => `${one.position!.file.slice(-6)} ${one.position!.line} ${one.code}`);
  assert.deepEqual(places, ['a.yaml 1 unknown-key', 'b.yaml 1 wrong-type', 'c.yaml 2 yaml-syntax']);
});

test('a file that cannot be parsed makes no dangling references elsewhere', async (t) => {
  const loaded = await load(t, { 'a.yaml': `${config}x: [`, 'b.yaml': nas + plan });
  assert.deepEqual(
    loaded.diagnostics.map((one) => one.code),
    ['yaml-syntax'],
  );
});

test('an empty file, comments only, and empty collections are fine', async (t) => {
  const loaded = await load(t, { 'a.yaml': '', 'b.yaml': '# nothing\n', 'c.yaml': 'plans:\nsources: {}\ndaemon:\n' });
  assert.deepEqual(loaded.diagnostics, []);
  assert.equal(loaded.configuration!.resources.size, 0);
});

test('a list at the top is refused', async (t) => {
  assert.deepEqual(errorsOf(await load(t, '- a\n')), ['1:1 wrong-type the file must be a mapping, not a list']);
});

test('a file that is not UTF-8, and one that is gone, are errors of that file', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'a.yaml'), Uint8Array.of(0x61, 0xff, 0xfe));
  await symlink(join(folder, 'nowhere'), join(folder, 'b.yaml'));
  const loaded = await loadConfiguration(folder, drivers);
  assert.deepEqual(errorsOf(loaded), [
    '1:1 unreadable-file the file is not UTF-8 text',
    '1:1 unreadable-file the file cannot be read: there is no such file or folder',
  ]);
});

test('no file, and a folder without any, are CONFIG_NOT_FOUND', async (t) => {
  const folder = await tempFolder(t);
  const missing = (error: unknown) => hasCode(error, 'CONFIG_NOT_FOUND');
  await assert.rejects(loadConfiguration(folder, drivers), missing);
  await assert.rejects(loadConfiguration(join(folder, 'no.yaml'), drivers), missing);
});

test('anchors and aliases work, and point to where the value stands', async (t) => {
  const text = `${config}${nas}plans:
  a: { source: config, manual: true, destinations: [nas], retry: &again { attempts: 3 } }
  b: { source: config, manual: true, destinations: [nas], retry: *again }
`;
  const { configuration } = await load(t, text);
  assert.deepEqual(configuration!.resources.get('plans.b')!.spec.retry, { attempts: 3 });
  assert.equal(configuration!.position('plans.b', ['retry', 'attempts'])?.line, 4);
  const wrong = await load(t, text.replace('attempts: 3', 'attempts: 0'));
  assert.deepEqual(
    errorsOf(wrong).map((error) => error.slice(0, 24)),
    ['4:85 bad-value plans.a: ', '4:85 bad-value plans.b: '],
  );
});

test('aliases that stand for billions of values are refused quickly', async (t) => {
  const levels = Array.from({ length: 30 }, (_, at) => `  l${at + 1}: &l${at + 1} [*l${at}, *l${at}, *l${at}]`);
  const loaded = await load(t, `sources:\n  l0: &l0 {driver: x}\n${levels.join('\n')}\n`);
  assert.match(errorsOf(loaded)[0]!, /yaml-syntax aliases stand for more than 100000 values/);
});

test('aliases to nothing and to themselves are refused', async (t) => {
  assert.deepEqual(errorsOf(await load(t, 'sources: { a: *gone }')), [
    '1:15 yaml-syntax there is no anchor `&gone` above',
  ]);
  assert.deepEqual(errorsOf(await load(t, 'sources: { a: &a { driver: files, paths: [*a] } }')), [
    '1:43 yaml-syntax `*a` contains itself',
  ]);
});

test('keys that are names of object internals are ordinary, except the one that cannot be', async (t) => {
  const loaded = await load(t, 'retention: { constructor: { last: 1 }, toString: { last: 2 } }');
  assert.deepEqual([...loaded.configuration!.resources.keys()], ['retention.constructor', 'retention.toString']);
  assert.match(errorsOf(await load(t, 'plans: { a: { __proto__: { source: x } } }'))[0]!, /^1:15 unknown-key/);
});

test('deep nesting is an error with its place, not a crash, however it is written', async (t) => {
  const texts = [
    `sources: { a: ${'['.repeat(20_000)}`,
    `sources: { a: ${'{a: '.repeat(2_000)}1${'}'.repeat(2_000)} }`,
    `sources:\n${Array.from({ length: 900 }, (_, level) => `${' '.repeat(level + 1)}a:`).join('\n')}`,
    `sources:\n  a:\n    ${'- '.repeat(5_000)}`,
  ];
  for (const text of texts) {
    const loaded = await load(t, text);
    assert.match(errorsOf(loaded).join('|'), /^\d+:\d+ yaml-syntax values are nested more than 64 deep$/);
  }
});

test('merge keys are refused by name, before what their absence would lack', async (t) => {
  const text = 'sources:\n  a: &a { driver: files, paths: [/etc] }\n  b: { <<: *a, exclude: [x] }\n';
  assert.deepEqual(errorsOf(await load(t, text)), [
    '3:8 unknown-key `<<` is not supported: YAML 1.2 has no merge keys [Write the fields out, or use an alias for a whole value: `retry: *again`.]',
  ]);
});
