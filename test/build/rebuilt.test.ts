import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isBuilt } from '../../build/record.ts';
import { type Ran, run, runOk, start, waitFor } from '../kit/process.ts';
import { build, copiedCheckout } from './copied-checkout.ts';

interface Copy {
  readonly checkout: string;
  readonly env: Record<string, string>;
  readonly args: (...args: string[]) => string[];
}

async function applied(t: TestContext): Promise<Copy> {
  const checkout = await copiedCheckout(t);
  const place = join(checkout, '..');
  const configuration = {
    sources: { tree: { driver: 'files', paths: [join(checkout, 'schemas')] } },
    destinations: { box: { driver: 'local', path: join(place, 'box'), password: '${env:BOX}' } },
    plans: { tree: { source: 'tree', manual: true, destinations: ['box'] } },
    daemon: { catalog: 'sqlite:catalog.db', listen: '127.0.0.1:0' },
  };
  writeFileSync(join(place, 'tidemark.yaml'), JSON.stringify(configuration));
  const args = (...words: string[]) => [
    join(checkout, 'dist/tidemark.js'),
    '--config',
    join(place, 'tidemark.yaml'),
    ...words,
  ];
  const env = { BOX: 'a password' };
  await rebuilt(checkout);
  await runOk(process.execPath, args('apply', '--auto-approve'), { env });
  return { checkout, env, args };
}

async function rebuilt(checkout: string): Promise<void> {
  const { code, stderr } = await build(checkout);
  assert.equal(code, 0, stderr);
}

/** Each build has other threads and job processes, which none but its own may start. */
async function rebuiltWithOthers(checkout: string): Promise<void> {
  for (const entry of ['core/repository/threads/entry.ts', 'cmd/job-process/entry.ts']) {
    appendFileSync(join(checkout, entry), `\nthrow new Error('of another build, ${Date.now()}');\n`);
  }
  await rebuilt(checkout);
}

/** A backup that starts its threads when `meanwhile` is done. */
async function backupWhile(copy: Copy, meanwhile: () => Promise<void>): Promise<Ran> {
  const go = join(copy.checkout, '../go');
  const env = { ...copy.env, HOLD_THREADS: go };
  const hook = join(import.meta.dirname, 'wait-with-threads.mjs');
  const backup = run(process.execPath, ['--import', hook, ...copy.args('backup', 'tree')], { env });
  try {
    await waitFor('the backup is about to start threads', () => existsSync(`${go}.held`));
    await meanwhile();
  } finally {
    writeFileSync(go, '');
  }
  return backup;
}

test('a backup that starts its threads after it was built anew starts its own', async (t) => {
  const copy = await applied(t);
  const { code, stderr } = await backupWhile(copy, () => rebuiltWithOthers(copy.checkout));
  assert.equal(code, 0, stderr);
});

test('one whose files are gone says so, and starts no others', async (t) => {
  const copy = await applied(t);
  const { code, stderr } = await backupWhile(copy, async () => {
    await rebuiltWithOthers(copy.checkout);
    await rebuiltWithOthers(copy.checkout);
  });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /error INSTALLATION_BROKEN: .*threads-entry.*\n(.*\n)*? *hint: Install it again/);
});

test('a daemon that was built anew starts its own job processes, or says that it is to be started again', async (t) => {
  const copy = await applied(t);
  const daemon = await start(t, process.execPath, copy.args('daemon'), { env: copy.env });
  await waitFor('the daemon is ready', () => /"address":/.test(daemon.output()));
  const backup = () => run(process.execPath, copy.args('backup', 'tree'), { env: copy.env });
  await rebuiltWithOthers(copy.checkout);
  const own = await backup();
  assert.equal(own.code, 0, own.stderr + daemon.output());
  await rebuiltWithOthers(copy.checkout);
  const gone = await backup();
  assert.equal(gone.code, 1, gone.stderr);
  assert.match(gone.stderr, /error INSTALLATION_BROKEN: .*\n(.*\n)*? *hint: .*A daemon whose tidemark was changed/);
});

test('a build takes away what a killed one left, and nothing of one that runs; an empty record is no build', async (t) => {
  const checkout = await copiedCheckout(t);
  const killed = await run('sh', ['-c', 'echo $$']);
  const [left, alive] = [killed.stdout.trim(), process.pid].map((pid) => join(checkout, `dist-${pid}`));
  for (const folder of [left!, alive!]) mkdirSync(folder);
  await rebuilt(checkout);
  assert.deepEqual([existsSync(left!), existsSync(alive!)], [false, true]);
  assert.equal(isBuilt(checkout), true);
  writeFileSync(join(checkout, 'dist/record.txt'), 'end');
  assert.equal(isBuilt(checkout), false);
});
