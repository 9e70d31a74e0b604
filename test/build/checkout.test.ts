import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isBuilt, isJustBuilt, lastLine, recordOf } from '../../build/record.ts';
import { run, runOk } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';

const root = join(import.meta.dirname, '../..');
const texts: Readonly<Record<string, string>> = {
  'package.json': '{"type": "module"}',
  'cmd/start.ts': 'console.log("source" satisfies string);\n',
  'core/deep/a.ts': 'export const a = 1;\n',
  'node_modules/.package-lock.json': '{}',
  'dist/tidemark.js': 'await import("./part.js");\n',
  'dist/part.js': 'console.log("build");\n',
};

/** A checkout with a build of it, and the launcher. */
async function checkout(t: TestContext): Promise<string> {
  const folder = join(await tempFolder(t), 'a checkout');
  for (const file of ['cmd/tidemark', 'cmd/node-version.cjs', 'build/checkout.ts', 'build/record.ts']) {
    await cp(join(root, file), join(folder, file));
  }
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  writeFileSync(join(folder, 'dist/record.txt'), recordOf(folder, Object.keys(texts)) + lastLine);
  return folder;
}

async function started(folder: string): Promise<string> {
  const { stdout } = await runOk(join(folder, 'cmd/tidemark'), [], { env: { TIDEMARK_NODE: process.execPath } });
  return stdout.trim();
}

test('a checkout runs its build', async (t) => {
  const folder = await checkout(t);
  assert.ok(isJustBuilt(folder));
  assert.equal(await started(folder), 'build');
});

const changes: Readonly<Record<string, (folder: string) => void>> = {
  'a file was changed': (folder) => appendFileSync(join(folder, 'core/deep/a.ts'), '\n'),
  'a file has other text of the same length, with the time of the old one': (folder) => {
    const file = join(folder, 'core/deep/a.ts');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, texts['core/deep/a.ts']!.replace('1', '2'));
    utimesSync(file, atime, mtime);
  },
  'an old file came in its place': (folder) => {
    const other = join(folder, 'other.ts');
    writeFileSync(other, texts['core/deep/a.ts']!.replace('1', '2'));
    utimesSync(other, 0, 0);
    renameSync(other, join(folder, 'core/deep/a.ts'));
  },
  'a file was deleted': (folder) => rmSync(join(folder, 'core/deep/a.ts')),
  'a folder was moved away': (folder) => renameSync(join(folder, 'core/deep'), join(folder, 'core/away')),
  'npm installed something else': (folder) => writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{ }'),
  'the build has no part': (folder) => rmSync(join(folder, 'dist/part.js')),
  'a part of the build is cut': (folder) => truncateSync(join(folder, 'dist/part.js'), 5),
  'there is no build': (folder) => rmSync(join(folder, 'dist'), { recursive: true }),
  'there is no record': (folder) => rmSync(join(folder, 'dist/record.txt')),
  'the record is empty': (folder) => truncateSync(join(folder, 'dist/record.txt')),
  'the record is cut': (folder) => truncateSync(join(folder, 'dist/record.txt'), 100),
};

for (const [what, change] of Object.entries(changes)) {
  test(`a checkout runs its source: ${what}`, async (t) => {
    const folder = await checkout(t);
    change(folder);
    assert.equal(isBuilt(folder), false);
    assert.equal(await started(folder), 'source');
  });
}

test('a copy of a checkout runs its build, as its files are the same, and after a change its source', async (t) => {
  const folder = await checkout(t);
  const copy = join(folder, 'copy');
  await runOk('cp', ['-a', folder, `${folder}-copy`]);
  renameSync(`${folder}-copy`, copy);
  assert.deepEqual([isBuilt(copy), isJustBuilt(copy)], [true, false]);
  assert.equal(await started(copy), 'build');
  writeFileSync(join(copy, 'core/deep/a.ts'), texts['core/deep/a.ts']!.replace('1', '2'));
  assert.equal(await started(copy), 'source');
  assert.equal(await started(folder), 'build');
});

test('work that never ends is no success', async (t) => {
  const folder = await checkout(t);
  writeFileSync(join(folder, 'cmd/start.ts'), 'await new Promise(() => {});\n');
  assert.equal((await run(join(folder, 'cmd/tidemark'), [], { env: { TIDEMARK_NODE: process.execPath } })).code, 13);
});
