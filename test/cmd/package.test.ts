import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import description from '../../package.json' with { type: 'json' };
import { runOk } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';

const root = join(import.meta.dirname, '../..');
const sources = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'build',
  'cmd',
  'core',
  'drivers',
  'schemas',
  'docs',
  'examples',
];
/** npm tells its scripts about itself; an npm inside must not take that for its own settings. */
const env = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('npm_'))
    .map((name) => [name, undefined]),
);

test('the package, built, packed and installed elsewhere, runs', async (t) => {
  const folder = await tempFolder(t);
  const checkout = join(folder, 'checkout');
  const consumer = join(folder, 'consumer');
  await mkdir(checkout);
  await mkdir(consumer);
  const present = sources.filter((name) => existsSync(join(root, name))); // a checkout holds no empty folders
  await runOk('cp', ['-a', ...present.map((name) => join(root, name)), checkout]);
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));

  await runOk(process.execPath, ['build/build.ts'], { cwd: checkout });
  const before = await readdir(join(checkout, 'dist'));
  await writeFile(join(checkout, 'core/error-codes.ts'), '\n(exitCodes as object as { x: number }).x = 1;\n', {
    flag: 'a',
  });
  await runOk('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: checkout, env, timeoutMs: 120_000 });
  const tarball = join(folder, `tidemark-${description.version}.tgz`);
  const packed = (await runOk('tar', ['-tzf', tarball])).stdout.trim().split('\n');
  assert.ok(packed.includes('package/dist/tidemark.js'));
  assert.ok(!packed.includes('package/dist/record.txt'));
  const shipped = packed.filter((name) => name.startsWith('package/dist/')).map((name) => name.slice(13));
  const isOfBuild = (name: string) => !name.startsWith('record') && !name.startsWith('.');
  assert.ok(before.some((name) => name.startsWith('error-codes-') && !shipped.includes(name)));
  const there = (await readdir(join(checkout, 'dist'))).filter(isOfBuild);
  assert.ok(there.length > shipped.length, 'the files of the build before stay');
  assert.equal(shipped.length, before.filter(isOfBuild).length, 'the package holds one build');
  const notices = (await runOk('tar', ['-xzOf', tarball, 'package/dist/NOTICES.txt'])).stdout;
  for (const name of ['kysely', 'mysql2', 'long', 'yaml'])
    assert.match(notices, new RegExp(`^${name} [\\d.]+ \\(`, 'm'));
  assert.match(notices, /Apache License/);
  assert.deepEqual(
    packed.filter(
      (name) => /\.ts$|^package\/(dist\/)?(test|bench)\//.test(name) && !/^package\/(docs|examples)\//.test(name),
    ),
    [],
  );

  await writeFile(join(consumer, 'package.json'), '{"private": true}');
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await runOk('npm', ['install', ...options, tarball], { cwd: consumer, env, timeoutMs: 180_000 });
  assert.deepEqual((await readdir(join(consumer, 'node_modules/tidemark/cmd'))).sort(), [
    'node-version.cjs',
    'tidemark',
  ]);
  const bin = join(consumer, 'node_modules/.bin/tidemark');
  const withOldNode = await runOk(bin, ['--version'], { cwd: folder, env: { TIDEMARK_NODE: process.execPath } });
  assert.equal(withOldNode.stdout.trim(), description.version);
  await backsUpAndRestores(bin, folder);
});

/** Threads, native modules and schemas are all found where the package has them. */
async function backsUpAndRestores(bin: string, folder: string): Promise<void> {
  const tree = join(folder, 'checkout/core');
  const configuration = {
    sources: { tree: { driver: 'files', paths: [tree] } },
    destinations: { box: { driver: 'local', path: join(folder, 'box'), password: '${env:BOX}' } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
    daemon: { catalog: 'sqlite:catalog.db' },
  };
  const file = join(folder, 'tidemark.yaml');
  await writeFile(file, JSON.stringify(configuration));
  const options = { cwd: folder, env: { TIDEMARK_NODE: process.execPath, BOX: 'a password' } };
  const tidemark = (...args: string[]) => runOk(bin, ['--config', file, ...args], options);
  await tidemark('apply', '--auto-approve');
  await tidemark('backup', 'tree');
  await tidemark('restore', 'tree', '--into', join(folder, 'restored'));
  await runOk('diff', ['--recursive', tree, join(folder, 'restored', tree)]);
}
