import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SourceSession } from '../../core/driver/index.ts';
import { TidemarkError } from '../../core/error.ts';
import { files } from '../../drivers/files/index.ts';
import { drivers } from '../../drivers/index.ts';
import { type Ran, run, runOk, start, waitFor } from '../kit/process.ts';
import { atEnd } from '../kit/scope.ts';
import { startDaemon } from './daemon-kit.ts';
import { type Home, home, inside, launcher, yamlFor } from './kit.ts';

/** Long enough for a busy machine, and far less than what a verb that hangs takes. */
const timeoutMs = 20_000;

test('what is no regular file is refused at once: a pipe in the folder, a device, a folder for a secret', async (t) => {
  const at = await home(t);
  const folder = join(at.folder, 'configuration');
  await mkdir(folder);
  await runOk('mkfifo', [join(folder, 'x.yaml')]);
  await writeFile(join(folder, 'y.yaml'), yamlFor(at.folder));
  const pipe = await validate(at, folder);
  assert.deepEqual([pipe.code, /x\.yaml:1:1: error: .*it is not a regular file/.test(pipe.stderr)], [3, true]);
  for (const device of ['/dev/zero', '/dev/null', '/dev/stdin']) {
    const told = await validate(at, device);
    assert.deepEqual([told.code, /it is not a regular file/.test(told.stderr)], [3, true], told.stderr);
  }
  await runOk('mkfifo', [join(at.folder, 'pipe')]);
  for (const secret of ['/dev/zero', join(at.folder, 'pipe'), at.folder]) {
    await at.write(yamlFor(at.folder).replace(join(at.folder, 'password'), secret));
    const told = await validate(at, at.configuration);
    assert.deepEqual([told.code, /cannot be read: it is not a regular file/.test(told.stderr)], [3, true], told.stderr);
    assert.match(told.stderr, /hint: Write the secret into a regular file/);
  }
  const saved = await run(launcher, ['apply', join(at.folder, 'pipe')], { cwd: at.folder, timeoutMs });
  assert.deepEqual([saved.code, /it is not a regular file/.test(saved.stderr)], [3, true]);
});

test('a configuration of more than 16 MiB is refused, and the limit is said', async (t) => {
  const at = await home(t);
  await at.write(`${yamlFor(at.folder)}# ${'x'.repeat(16 * 1024 * 1024)}\n`);
  const told = await validate(at, at.configuration);
  assert.deepEqual([told.code, /larger than 16\.0 MiB/.test(told.stderr)], [3, true], told.stderr.slice(0, 500));
});

test('SIGTERM and SIGINT end a verb that waits for a server which accepts and then says nothing', async (t) => {
  const at = await home(t);
  const port = await silentServer(t);
  const shop = `shop: { driver: mysql, host: 127.0.0.1, port: ${port}, user: u }`;
  await at.write(yamlFor(at.folder).replace('sources:', `sources:\n  ${shop}`));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const apply = await start(t, launcher, ['apply', '--auto-approve'], { cwd: at.folder });
    await waitFor('the change set', () => apply.output().includes('to add'));
    await apply.end(signal, 5_000);
    assert.equal((await apply.ended).code, 130);
    assert.match(apply.output(), new RegExp(`error CANCELLED: ended by ${signal}`));
  }
});

test('SIGTERM ends a verb that waits for its input', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const child = spawn(launcher, ['key', 'add', 'disk'], { cwd: at.folder, stdio: ['pipe', 'ignore', 'pipe'] });
  atEnd(t, () => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // it says nothing while it waits
  child.kill('SIGTERM');
  assert.deepEqual(await Promise.race([ended, once(AbortSignal.timeout(5_000), 'abort')]), [130, null]);
});

test('what takes the place of a file of a repository is named at once, and no verb waits for it', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await rename(join(at.repository, 'config'), join(at.folder, 'config'));
  await runOk('mkfifo', [join(at.repository, 'config')]);
  for (const args of [
    ['catalog', 'import', 'disk'],
    ['backup', 'docs-daily'],
    ['key', 'list', 'disk'],
  ]) {
    const told = await run(launcher, args, { cwd: at.folder, timeoutMs });
    assert.deepEqual([told.code, /REPOSITORY_CORRUPT: config is a pipe/.test(told.stderr)], [10, true], told.stderr);
  }
});

test('a process that is told to end does so although a call to the system never returns', async (t) => {
  const at = await home(t);
  await runOk('mkfifo', [join(at.folder, 'pipe')]);
  const code = `
    import { readFile } from 'node:fs';
    import { leave } from '${join(import.meta.dirname, '../../cmd/leave.ts')}';
    readFile('pipe', () => {});
    process.on('SIGTERM', () => leave(130));
    setInterval(() => {}, 1_000);
    setTimeout(() => console.log('reading'), 100);`;
  const child = await start(t, process.execPath, ['--input-type=module', '-e', code], { cwd: at.folder });
  await waitFor('the call', () => child.output().includes('reading'));
  await child.end('SIGTERM', 5_000);
  assert.deepEqual(await child.ended, { code: 130, signal: null }, child.output());
});

test('a folder that cannot be restored into is refused in words, at once', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await symlink(at.repository, join(at.folder, 'link'));
  await runOk('mkfifo', [join(at.folder, 'pipe')]);
  const before = await readdir(at.repository);
  for (const [into, code, words] of [
    ['/proc/nothing', 9, /TARGET_FAILED: \/proc\/nothing cannot be restored into: no folder can be made there/],
    [join(at.folder, 'password'), 9, /TARGET_FAILED: .*something that is no folder stands there/],
    [join(at.folder, 'pipe'), 9, /TARGET_FAILED: .*something that is no folder stands there/],
    [join(at.folder, 'password/x'), 9, /TARGET_FAILED: .*a part of this path is no folder/],
    [at.repository, 6, /TARGET_NOT_EMPTY: \S+ is a repository/],
    [join(at.repository, 'new/one'), 6, /TARGET_NOT_EMPTY: \S+ lies in the repository \S+/],
    [join(at.folder, 'link/new'), 6, /TARGET_NOT_EMPTY: \S+ lies in the repository \S+/],
  ] as const) {
    const args = ['restore', 'docs', '--into', into, '--overwrite', '--auto-approve'];
    const told = await run(launcher, args, { cwd: at.folder, timeoutMs });
    assert.deepEqual([told.code, words.test(told.stderr)], [code, true], told.stderr);
    assert.doesNotMatch(told.stderr, /\bE[A-Z]+: /);
  }
  assert.deepEqual(await readdir(at.repository), before);
});

test('a reader that goes away takes nothing from the work of a verb and from its exit code', async (t) => {
  const at = await home(t);
  await at.write(yamlFor(at.folder).replace(/paths: \[(.*?)\]/, 'paths: [$1, $1-missing]'));
  await at.inside('apply', '--auto-approve');
  const piped = async (command: string) => {
    const script = `"$0" ${command} | :; exit \${PIPESTATUS[0]}`;
    return (await run('bash', ['-c', script, launcher], { cwd: at.folder, timeoutMs })).code;
  };
  assert.equal(await piped('status --check'), 1);
  assert.equal(await piped('backup docs-daily'), 4, 'a partial backup stays one');
  assert.equal(await piped('backup docs-daily 2>&1'), 4);
  assert.deepEqual(await readdir(join(at.repository, 'locks')), []);
  assert.deepEqual(
    JSON.parse((await at.inside('jobs', '--json')).stdout).jobs.map(({ state }: { state: string }) => state),
    ['partial', 'partial'],
  );
});

test('a result is written to its end, however long its reader pauses', async (t) => {
  const at = await withLargePlan(t);
  const whole = (await at.inside('plan', '--json')).stdout;
  const script = '"$0" plan --json | { read -r first; sleep 2; echo "$first"; cat; }; exit "${PIPESTATUS[0]}"';
  const told = await run('bash', ['-c', script, launcher], { cwd: at.folder, timeoutMs });
  assert.deepEqual([told.code, told.stdoutBytes.length], [0, Buffer.byteLength(whole)], told.stderr);
});

test('a verb whose result nobody reads ends by a signal, and not with success, and by the end of its reader', async (t) => {
  const at = await withLargePlan(t);
  for (const [end, code] of [
    [(child: ChildProcess) => child.kill('SIGTERM'), 130],
    [(child: ChildProcess) => child.stdout!.destroy(), 0],
  ] as const) {
    const child = spawn(launcher, ['plan', '--json'], { cwd: at.folder, stdio: ['ignore', 'pipe', 'ignore'] });
    atEnd(t, () => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await once(child.stdout, 'readable');
    end(child);
    assert.deepEqual(await Promise.race([ended, once(AbortSignal.timeout(5_000), 'abort')]), [code, null]);
  }
});

test('a daemon whose log nobody reads any more ends in order, and not with success', async (t) => {
  const at = await home(t);
  const daemon = await startDaemon(t, at);
  daemon.child.stdout!.destroy();
  await at.write(yamlFor(at.folder, 'manual: true, exclude: [x]')); // a change is logged
  assert.deepEqual(await daemon.ended, { code: 1, signal: null });
  const [event] = JSON.parse((await at.inside('events', '--json')).stdout).events;
  assert.equal(event.kind, 'daemon.stopped');
});

test('a download that is interrupted is over when the verb is, however long that takes', async (t) => {
  const ending = new AbortController();
  const slow: SourceSession['restore'] = async ({ signal }) => {
    setImmediate(() => ending.abort(new TidemarkError('CANCELLED', 'ended by SIGINT')));
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    throw signal.reason;
  };
  const openFolder = async (...given: Parameters<NonNullable<typeof files.openFolder>>) =>
    Object.assign(await files.openFolder!(...given), { restore: slow });
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const { backup } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  const told = await inside(['download', backup, '-o', 'out'], {
    cwd: at.folder,
    ending: ending.signal,
    drivers: async () => ({ ...drivers, sources: [{ ...files, openFolder }] }),
  });
  assert.equal(told.code, 130);
  const [job] = JSON.parse((await at.inside('jobs', '--json')).stdout).jobs;
  assert.deepEqual([job.kind, job.state], ['restore', 'cancelled']);
});

/** Its change set takes far more than a pipe holds. */
async function withLargePlan(t: TestContext): Promise<Home> {
  const at = await home(t);
  const sources = Array.from({ length: 3_000 }, (_, n) => `  s${n}: { driver: files, paths: [${at.data}/${n}] }\n`);
  await at.write(yamlFor(at.folder).replace('sources:\n', `sources:\n${sources.join('')}`));
  return at;
}

function validate(at: Home, configuration: string): Promise<Ran> {
  return run(launcher, ['validate', '-c', configuration], { cwd: at.folder, timeoutMs });
}

async function silentServer(t: TestContext): Promise<number> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => void server.close());
  return (server.address() as AddressInfo).port;
}
