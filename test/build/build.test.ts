import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isBuilt, isJustBuilt } from '../../build/record.ts';
import { type Ran, run, runOk } from '../kit/process.ts';
import { build, copiedCheckout, root } from './copied-checkout.ts';

const env = { TIDEMARK_NODE: process.execPath };
const tidemark = (folder: string, ...args: string[]) => run(join(folder, 'cmd/tidemark'), args, { env });

test('what changes while it is built is in the build, or the build does not count', async (t) => {
  const folder = await copiedCheckout(t);
  const file = join(folder, 'cmd/program.ts');
  const text = readFileSync(file, 'utf8');
  let counted = 0;
  for (let round = 0; round < 3; round++) {
    const building = build(folder);
    await delay(round * 200);
    writeFileSync(file, text.replace('Backups as code', `Round ${round}`));
    const { code, stderr } = await building;
    assert.equal(code, 0, stderr);
    const built = (await runOk(process.execPath, [join(folder, 'dist/tidemark.js'), '--help'])).stdout;
    if (isBuilt(folder)) assert.match(built, new RegExp(`Round ${round}:`));
    counted += Number(isBuilt(folder));
    assert.match((await tidemark(folder, '--help')).stdout, new RegExp(`Round ${round}:`));
  }
  t.diagnostic(`${counted} of 3 builds count`);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('dist-')),
    [],
  );
});

test('a build that fails leaves the one before, which does not count', async (t) => {
  const folder = await copiedCheckout(t);
  assert.equal((await build(folder)).code, 0);
  assert.ok(isJustBuilt(folder));
  writeFileSync(join(folder, 'core/clock.ts'), "import './nowhere.ts';\n");
  const { code, stderr } = await build(folder);
  assert.notEqual(code, 0);
  assert.match(stderr, /nowhere/);
  assert.ok(existsSync(join(folder, 'dist/tidemark.js')));
  assert.equal(isBuilt(folder), false);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('dist-')),
    [],
  );
});

test('a build that lacks a file says what to do', async (t) => {
  const folder = await copiedCheckout(t);
  assert.equal((await build(folder)).code, 0);
  rmSync(join(folder, 'build'), { recursive: true }); // as the package is
  const saysWhatToDo = (ran: Ran) => {
    assert.notEqual(ran.code, 0);
    assert.match(ran.stderr, /error INSTALLATION_BROKEN: .*Cannot find module.*\n *hint: .*[Ii]nstall it again/);
  };
  const chunk = async (name: string) => {
    const found = (await readdir(join(folder, 'dist'))).find(
      (file) => file.startsWith(`${name}-`) && file.endsWith('.js'),
    );
    return join(folder, 'dist', found!);
  };
  rmSync(await chunk('completion'));
  saysWhatToDo(await tidemark(folder, 'completion', 'bash'));
  rmSync(await chunk('error-codes'));
  saysWhatToDo(await tidemark(folder, '--version'));
  rmSync(join(folder, 'dist/tidemark.js'));
  saysWhatToDo(await tidemark(folder, '--version'));
});

test('what runs goes on with its files when it is built anew, and those of the build before that go', async (t) => {
  const folder = await copiedCheckout(t);
  const parts = async () => (await readdir(join(folder, 'dist'))).filter((name) => name.endsWith('.js'));
  const change = async (text: string) => {
    writeFileSync(join(folder, 'core/error-codes.ts'), readFileSync(join(root, 'core/error-codes.ts'), 'utf8') + text);
    assert.equal((await build(folder)).code, 0);
    assert.ok(isJustBuilt(folder));
    return parts();
  };
  const first = await change('\nexitCodes.ok satisfies 0;\n(exitCodes as object as { x: number }).x = 1;\n');
  const second = await change('\n(exitCodes as object as { x: number }).x = 2;\n');
  const third = await change('\n(exitCodes as object as { x: number }).x = 3;\n');
  assert.ok(first.every((name) => second.includes(name)));
  assert.ok(second.length > first.length);
  assert.equal(third.length, second.length);
  assert.ok(!first.every((name) => third.includes(name)));
});
