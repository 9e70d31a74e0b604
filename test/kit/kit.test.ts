import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, runOk, start, waitFor } from './process.ts';
import { restic } from './restic.ts';
import { tempFolder } from './temp.ts';

const kitFolder = import.meta.dirname;

/** Runs a test file with this body under Node's own runner, as a test that may fail, and gives the folder it names. */
async function runBody(folder: string, body: string): Promise<{ passed: boolean; named: string; output: string }> {
  const file = join(folder, 'inner.test.ts');
  const imports = `import { test } from 'node:test'; import { tempFolder } from '${kitFolder}/temp.ts';
import { atEnd } from '${kitFolder}/scope.ts'; import { start } from '${kitFolder}/process.ts';`;
  await writeFile(file, `${imports}\n${body}`);
  const ran = await run(process.execPath, ['--test', '--test-reporter=spec', file], {
    env: { NODE_TEST_CONTEXT: undefined },
  });
  const output = ran.stdout + ran.stderr;
  return { passed: ran.code === 0, named: /folder=(\S+)/.exec(output)?.[1] ?? '', output };
}

test('a temporary folder goes with a test that passed', async (t) => {
  const ran = await runBody(
    await tempFolder(t),
    `test('x', async (t) => console.log('folder=' + await tempFolder(t)));`,
  );
  assert.equal(ran.passed, true, ran.output);
  assert.ok(ran.named.length > 0 && !existsSync(ran.named));
});

test('a temporary folder stays, and is named, when only a subtest of a subtest failed', async (t) => {
  const ran = await runBody(
    await tempFolder(t),
    `test('x', async (t) => {
       console.log('folder=' + await tempFolder(t));
       await t.test('y', (t) => t.test('z', () => { throw new Error('no'); }));
     });`,
  );
  assert.equal(ran.passed, false);
  assert.ok(existsSync(ran.named));
  assert.match(ran.output, new RegExp(`kept: ${ran.named}`));
  await rm(ran.named, { recursive: true });
});

test('what a test opened is closed last first', async (t) => {
  const ran = await runBody(
    await tempFolder(t),
    `test('x', (t) => { for (const name of ['a', 'b']) atEnd(t, () => console.log('closed ' + name)); });`,
  );
  assert.match(ran.output, /closed b\s+closed a/);
});

test('a started process dies with the process of its test', async (t) => {
  const body = `test('x', async (t) => {
    console.log('pid=' + (await start(t, 'sleep', ['1000'])).pid + ';');
    process.kill(process.pid, 'SIGKILL');
  });`;
  const pid = Number(/pid=(\d+);/.exec((await runBody(await tempFolder(t), body)).output)?.[1]);
  assert.ok(pid > 0);
  await waitFor('the end of the process', () => !existsSync(`/proc/${pid}`));
});

test('run tells exit code and output, and ends what takes too long', async () => {
  const ran = await run('sh', ['-c', 'cat; echo err >&2; exit 3'], { input: 'in' });
  assert.deepEqual([ran.code, ran.stdout, ran.stderr], [3, 'in', 'err\n']);
  await assert.rejects(runOk('sh', ['-c', 'echo why >&2; exit 3']), /exit code 3\nwhy/);
  await assert.rejects(run('sleep', ['1000'], { timeoutMs: 50 }), /killed after 50 ms/);
  await assert.rejects(run('no-such-command', []), /no-such-command is missing/);
});

test('start collects output and ends by signal', async (t) => {
  const process = await start(t, 'sh', ['-c', 'echo ready; exec sleep 1000']);
  await waitFor('the word', () => process.output().includes('ready'));
  await process.end('SIGTERM');
  assert.deepEqual(await process.ended, { code: null, signal: 'SIGTERM' });
  await process.end('SIGTERM');
});

test('waitFor says what it waited for and why it was not there', async () => {
  const never = waitFor('Godot', () => Promise.reject(new Error('not today')), { timeoutMs: 30 });
  await assert.rejects(
    never,
    (error: Error) => error.message.includes('Godot') && /not today/.test(String(error.cause)),
  );
});

test('stock restic', async (t) => {
  const folder = await tempFolder(t);
  const stock = await restic(t, join(folder, 'repository'), 'open sesame');
  await stock(['init']);
  assert.equal((await stock(['snapshots', '--json'])).stdout.trim(), '[]');
  const wrong = await restic(t, join(folder, 'repository'), 'wrong');
  await assert.rejects(wrong(['snapshots']), /wrong password/);
});
