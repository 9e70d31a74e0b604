import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Repository } from '../../../core/repository/index.ts';
import { waitFor } from '../../kit/process.ts';
import { atEnd } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import { inEarnest, locksOf, replaced } from './lock-kit.ts';
import { coded, newPlace, noSignal, openOptions, password } from './repository-kit.ts';

test('shared locks go together, an exclusive one excludes all', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  {
    await using one = await repository.lock('shared', noSignal);
    await using two = await repository.lock('shared', noSignal);
    await assert.rejects(
      repository.lock('exclusive', noSignal),
      coded('REPOSITORY_LOCKED', /locked by tester@test-host, process \d+, since 20/),
    );
    assert(!one.signal.aborted && !two.signal.aborted);
    assert.equal((await locksOf(store)).length, 2);
  }
  {
    await using _ = await repository.lock('exclusive', noSignal);
    await assert.rejects(repository.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /exclusively locked/));
    await assert.rejects(repository.lock('exclusive', noSignal), coded('REPOSITORY_LOCKED'));
  }
  assert.deepEqual(await locksOf(store), []);
});

test('of several exclusive requests at once, at most one gets the lock', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  const tries = await Promise.allSettled([1, 2, 3, 4].map(() => repository.lock('exclusive', noSignal)));
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of tries) if (one.status === 'rejected') coded('REPOSITORY_LOCKED')(one.reason);
  assert(got.length <= 1);
  for (const lock of got) await lock[Symbol.asyncDispose]();
  assert.deepEqual(await locksOf(store), []);
});

test('our exclusive lock keeps restic out, a shared one only from pruning', async (t) => {
  const { repository, restic } = await newPlace(t, inEarnest);
  {
    await using _ = await repository.lock('exclusive', noSignal);
    await assert.rejects(
      restic(['backup', import.meta.dirname]),
      /already locked exclusively by PID \d+ on test-host by tester/,
    );
  }
  {
    await using _ = await repository.lock('shared', noSignal);
    await restic(['backup', import.meta.dirname]);
    await assert.rejects(restic(['prune']), /already locked by PID \d+ on test-host by tester/);
  }
  await restic(['prune']);
});

test('a running restic lets us write and not prune', async (t) => {
  const { repository, folder, store } = await newPlace(t, inEarnest);
  await startEndlessBackup(t, folder);
  await waitFor('restic’s lock', async () => (await locksOf(store)).length > 0);
  {
    await using _ = await repository.lock('shared', noSignal);
  }
  await assert.rejects(repository.lock('exclusive', noSignal), coded('REPOSITORY_LOCKED', /locked by root@/));
});

test('a lock request that is aborted or refused leaves no lock', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  const abort = new AbortController();
  const request = repository.lock('shared', abort.signal);
  await waitFor('our lock', async () => (await locksOf(store)).length > 0);
  abort.abort();
  await assert.rejects(request, { name: 'AbortError' });
  assert.deepEqual(await locksOf(store), []);
  const lock = await repository.lock('shared', noSignal);
  await lock[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  assert.deepEqual(await locksOf(store), []);
});

test('work that begins early does not begin beside a lock that came while ours was written', async (t) => {
  const { store } = await newPlace(t);
  const other = await Repository.open(openOptions(store));
  let theirs: AsyncDisposable | undefined;
  const slow = replaced(store, {
    put: async (...args) => {
      theirs = await other.lock('exclusive', noSignal);
      await store.put(...args);
    },
  });
  const repository = await Repository.open(openOptions(slow, inEarnest));
  let begun = false;
  const work = repository.underLock('read', noSignal, async () => {
    begun = true;
  });
  await assert.rejects(work, coded('REPOSITORY_LOCKED'));
  assert(!begun);
  assert.equal((await locksOf(store)).length, 1);
  await theirs![Symbol.asyncDispose]();
});

/** `restic backup` of a standard input that never ends: it holds a shared lock until the test is over. */
async function startEndlessBackup(t: TestContext, folder: string): Promise<void> {
  const passwordFile = join(await tempFolder(t), 'password');
  await writeFile(passwordFile, password);
  const args = ['--repo', folder, '--password-file', passwordFile, '--no-cache', 'backup', '--stdin'];
  const child = spawn('restic', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await ended;
  });
}
