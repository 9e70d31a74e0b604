import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Repository } from '../../core/repository/index.ts';
import { Secret } from '../../core/secret.ts';
import { mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { localStore, noSignal, openOptions } from '../core/repository/repository-kit.ts';
import { home, password } from './kit.ts';

test('unlock takes away what nobody holds, and with --all what is held', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const store = await localStore(at.repository);
  const lockBy = async (host: string) => {
    const by = { host, user: 'somebody', pid: 1 };
    const repository = await Repository.open({ ...openOptions(store), by, password: new Secret(password) });
    return repository.lock('shared', noSignal);
  };
  await using _dead = await lockBy('testhost'); // this host, and a process that is not there
  await using _held = await lockBy('elsewhere');
  const unlock = async (...args: string[]) => {
    const { code, stdout } = await at.inside('repository', 'unlock', 'disk', ...args, '--json');
    const value = JSON.parse(stdout);
    if (code === 0) assert.deepEqual(mismatches(value, outputs['repository unlock'] as Shape), [], stdout);
    return { code, ...value };
  };
  const first = await unlock();
  assert.deepEqual([first.code, first.locks.length, first.removed.length], [0, 2, 1]);
  const states = first.locks.map(
    (one: { state: string; by: { hostname: string } }) => `${one.by.hostname} ${one.state}`,
  );
  assert.deepEqual(states.sort(), ['elsewhere held', 'testhost stale']);
  assert.equal((await unlock('--all')).code, 3, 'nobody can be asked');
  assert.equal((await unlock('--all', '--auto-approve')).removed.length, 1);
  assert.match((await at.inside('repository', 'unlock', 'disk')).stdout, /^no locks\n0 locks taken away/);
});

test('a damaged lock: every hint leads to the one verb that takes it away', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const path = join(at.repository, 'locks', 'a'.repeat(64));
  await writeFile(path, Buffer.alloc(100, 7));
  for (const verb of [
    ['backup', 'docs-daily'],
    ['repository', 'check', 'disk'],
    ['repository', 'repair', 'disk', '--dry-run'],
  ]) {
    const { code, stderr } = await at.inside(...verb);
    assert.equal(code, 10, stderr);
    assert.match(stderr, /locks\/a{64} is damaged[\s\S]*`tidemark repository unlock --all`/);
    assert.doesNotMatch(stderr, /Run `tidemark repository check`/);
  }
  const without = await at.inside('repository', 'unlock', 'disk');
  assert.equal(without.code, 4);
  assert.match(without.stderr, /1 lock is damaged and keeps everybody out: .*`tidemark repository unlock disk --all`/);
  assert.equal((await at.inside('repository', 'unlock', 'disk', '--all', '--auto-approve')).code, 0);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
});
