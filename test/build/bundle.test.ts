import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { ModuleInfo, OutputChunk } from 'rolldown';
import { openBundle } from '../../build/bundle.ts';
import description from '../../package.json' with { type: 'json' };
import { readFiles } from '../architecture/files.ts';

const root = join(import.meta.dirname, '../..');
const modules = new Map<string, ModuleInfo>();
const chunks = new Map<string, OutputChunk>();

test.before(async () => {
  await using bundle = await openBundle(root, {
    name: 'note-modules',
    generateBundle() {
      for (const id of this.getModuleIds()) modules.set(id, this.getModuleInfo(id)!);
    },
  });
  for (const part of (await bundle.build.generate(bundle.output)).output) {
    if (part.type === 'chunk') chunks.set(part.fileName, part);
  }
});

test('no module is in two files: a class or a map of it would be there twice in one process', () => {
  const places = Map.groupBy(
    [...chunks.values()].flatMap(({ fileName, moduleIds }) => moduleIds.map((id) => ({ id, fileName }))),
    ({ id }) => id,
  );
  assert.ok(places.size > 500, `${places.size} modules`);
  assert.deepEqual([...places.values()].filter((all) => all.length > 1).flat(), []);
});

test('no package is there in two versions', () => {
  const folders = new Set([...modules.keys()].flatMap((id) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  const names = [...folders].map((folder) => folder.replace(/^.*node_modules\//, ''));
  assert.ok(names.includes('kysely'));
  assert.equal(new Set(names).size, names.length, names.join(' '));
});

test('what is loaded brings nothing that its source does not import', () => {
  const entries = [...chunks.values()].filter(({ isEntry, isDynamicEntry }) => isEntry || isDynamicEntry);
  assert.ok(entries.length > 40, `${entries.length} entries`);
  for (const { fileName, facadeModuleId } of entries) {
    const may = reached(facadeModuleId!, (id) => modules.get(id)?.importedIds ?? []);
    const does = reached(fileName, (name) => chunks.get(name)?.imports ?? []);
    const beside = [...does]
      .flatMap((name) => chunks.get(name)?.moduleIds ?? [])
      .filter((id) => !may.has(id) && id !== '\0rolldown/runtime.js');
    assert.deepEqual(beside, [], fileName);
  }
});

test('every file that is started by its URL is there, and no URL of a source is left', () => {
  const product = readFiles(root, ['cmd', 'core', 'drivers'], ['.ts']);
  const named = product.flatMap(({ code, withoutComments }) =>
    [...withoutComments.matchAll(/import\.meta\.resolve\('[^']+\/([^/']+)\.ts'\)/g)]
      .filter(({ index }) => code[index] !== ' ')
      .map((match) => match[1]!),
  );
  assert.ok(named.length >= 7, named.join(' '));
  for (const name of named) {
    assert.ok(
      [...chunks.values()].some(
        (chunk) => chunk.isEntry && new RegExp(`-${name}-[\\w-]{8}\\.js$`).test(chunk.fileName),
      ),
      name,
    );
  }
  const started = [...chunks.values()].flatMap(({ code, fileName }) => {
    assert.doesNotMatch(code, /import\.meta\.(resolve|ROLLUP)/, fileName);
    return [...code.matchAll(/new URL\("([\w-]+\.js)", import\.meta\.url\)/g)].map(([, url]) => url!);
  });
  assert.equal(started.length, named.length, started.join(' '));
  for (const url of started) assert.ok(chunks.get(url)?.isEntry, url);
});

/** Packages that others take where they are installed. */
const optional = ['cardinal'];

test('what stays outside are modules of Node and dependencies', () => {
  const known = new Set([...Object.keys(description.dependencies), ...optional]);
  const builtIn = new Set(createRequire(import.meta.url)('node:module').builtinModules as string[]);
  for (const { code, fileName, imports, dynamicImports } of chunks.values()) {
    const required = [...code.matchAll(/\b__require\("([^"]+)"\)|createRequire\(import\.meta\.url\)\("([^"]+)"\)/g)];
    for (const name of [...imports, ...dynamicImports, ...required.map(([, one, other]) => one ?? other!)]) {
      const isThere =
        chunks.has(name) || known.has(name) || builtIn.has(name.replace(/^node:/, '')) || name === 'node:sqlite';
      assert.ok(isThere, `${relative(root, fileName)} wants ${name}`);
    }
  }
});

function reached(start: string, next: (from: string) => readonly string[]): Set<string> {
  const all = new Set<string>();
  const go = (one: string) => {
    if (all.has(one)) return;
    all.add(one);
    for (const other of next(one)) go(other);
  };
  go(start);
  return all;
}
