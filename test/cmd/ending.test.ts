import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ran, run, runOk, start, waitFor } from '../kit/process.ts';
import { atEnd } from '../kit/scope.ts';
import { type Home, home, launcher, yamlFor } from './kit.ts';

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

function validate(at: Home, configuration: string): Promise<Ran> {
  return run(launcher, ['validate', '-c', configuration], { cwd: at.folder, timeoutMs });
}

async function silentServer(t: TestContext): Promise<number> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => void server.close());
  return (server.address() as AddressInfo).port;
}
