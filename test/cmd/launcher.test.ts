import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';

const cmdFolder = join(import.meta.dirname, '../../cmd');
const printWhatRuns = `console.log(JSON.stringify([process.env.FAKE_NODE ?? 'real', process.argv.slice(1)]));`;

/** A folder like tidemark's checkout with nothing in it but the launcher and a `main` that prints what runs it. */
async function project(folder: string, main = 'build/checkout.ts'): Promise<string> {
  await mkdir(join(folder, dirname(main)), { recursive: true });
  await mkdir(join(folder, 'cmd'), { recursive: true });
  for (const file of ['tidemark', 'node-version.cjs']) await copyFile(join(cmdFolder, file), join(folder, 'cmd', file));
  await writeFile(join(folder, main), printWhatRuns);
  return join(folder, 'cmd/tidemark');
}

/** A Node that runs as well as the real one, but says that it is of this version and is recognised by its name. */
async function fakeNode(file: string, version: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const preload = `${file}-preload.cjs`;
  await writeFile(preload, `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`);
  await writeFile(file, `#!/bin/sh\nFAKE_NODE=${version} exec '${process.execPath}' --require '${preload}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

async function packagedNode(folder: string, version: string): Promise<void> {
  await fakeNode(join(folder, 'node_modules/node/bin/node'), version);
  await writeFile(join(folder, 'node_modules/node/package.json'), JSON.stringify({ name: 'node', version }, null, 2));
}

/** Environment with no `node` in PATH, or with this one. */
async function environment(t: TestContext, node?: string) {
  const bin = await tempFolder(t);
  for (const tool of ['sh', 'readlink']) await symlink(`/usr/bin/${tool}`, join(bin, tool));
  if (node !== undefined) await symlink(node, join(bin, 'node'));
  return { PATH: bin, TIDEMARK_NODE: undefined };
}

test('the packaged Node of a checkout comes before the one in PATH, arguments pass unchanged', async (t) => {
  const folder = await tempFolder(t);
  const launcher = await project(folder);
  await packagedNode(folder, '24.12.0');
  const env = await environment(t, await fakeNode(join(folder, 'path/node'), '30.0.0'));
  const ran = await run(launcher, ['a b', '', '--c'], { env });
  assert.deepEqual(JSON.parse(ran.stdout), ['24.12.0', [join(folder, 'build/checkout.ts'), 'a b', '', '--c']]);
});

test('through links, as npm makes them, with a Node beside it, from dist', async (t) => {
  const folder = await tempFolder(t);
  await project(join(folder, 'node_modules/tidemark'), 'dist/tidemark.js');
  await packagedNode(folder, '25.0.1');
  await mkdir(join(folder, 'node_modules/.bin'));
  await symlink('../tidemark/cmd/tidemark', join(folder, 'node_modules/.bin/tidemark'));
  await symlink(join(folder, 'node_modules/.bin/tidemark'), join(folder, 'link'));
  const ran = await run('./link', [], { cwd: folder, env: await environment(t) });
  assert.deepEqual(JSON.parse(ran.stdout), ['25.0.1', [join(folder, 'node_modules/tidemark/dist/tidemark.js')]]);
});

test('a packaged Node that is too old is passed over', async (t) => {
  const folder = await tempFolder(t);
  const launcher = await project(join(folder, 'inner'));
  await packagedNode(join(folder, 'inner'), '24.11.9');
  await packagedNode(folder, '24.21.0');
  const ran = await run(launcher, [], { env: await environment(t) });
  assert.equal(JSON.parse(ran.stdout)[0], '24.21.0');
});

test('memory is kept small, unless the user sets it otherwise', async (t) => {
  const folder = await tempFolder(t);
  const launcher = await project(folder);
  const print = `console.log(process.env.MALLOC_MMAP_THRESHOLD_, process.execArgv.at(-1));`;
  await writeFile(join(folder, 'build/checkout.ts'), print);
  const env = { TIDEMARK_NODE: process.execPath };
  const ran = await run(launcher, ['status'], { env });
  assert.equal(ran.stdout, '262144 --max-semi-space-size=2\n');
  const otherwise = { ...env, MALLOC_MMAP_THRESHOLD_: '99999' };
  assert.equal((await run(launcher, ['status'], { env: otherwise })).stdout, '99999 --max-semi-space-size=2\n');
});

test('TIDEMARK_NODE comes first', async (t) => {
  const folder = await tempFolder(t);
  const launcher = await project(folder);
  await packagedNode(folder, '24.12.0');
  const TIDEMARK_NODE = await fakeNode(join(folder, 'my node'), '26.1.0');
  const ran = await run(launcher, [], { env: { ...(await environment(t)), TIDEMARK_NODE } });
  assert.equal(JSON.parse(ran.stdout)[0], '26.1.0');
  const wrong = await run(launcher, [], { env: { ...(await environment(t)), TIDEMARK_NODE: '/no/where' } });
  assert.equal(wrong.code, 127);
  assert.match(wrong.stderr, /error NODE_MISSING: TIDEMARK_NODE is \/no\/where/);
});

test('no Node, or one that is too old: says how to get one', async (t) => {
  const folder = await tempFolder(t);
  const launcher = await project(folder);
  const none = await run(launcher, ['plan'], { env: await environment(t) });
  assert.deepEqual([none.code, none.stdout], [127, '']);
  assert.match(none.stderr, /error NODE_MISSING: no Node found\nhint: .*npm install node@24/);

  const old = await fakeNode(join(folder, 'old/node'), '24.11.1');
  const tooOld = await run(launcher, ['plan'], { env: await environment(t, old) });
  assert.deepEqual([tooOld.code, tooOld.stdout], [127, '']);
  assert.match(tooOld.stderr, /error NODE_TOO_OLD: .* is Node 24.11.1\nhint: .*npm install node@24/);
});
